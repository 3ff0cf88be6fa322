"""Makes the HTML of a mail fit for its frame: images that came along are shown, links open beside, nothing is fetched.

Stands behind `views.py`. What holds a hostile mail back is not here but in the frame's sandbox and its policy, which
know no script, no form and no other host. Here is what these leave open: Chromium opens a connection to a host that a
`<link>` or a frame names before it asks the policy.
"""

import base64
import html as markup
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from api.mailbox.mime import ParsedPart

MOST_IMAGE_CHARACTERS: Final = 32 * 1024 * 1024
"""Of all images in a mail as it is shown; a mail may name the same image a thousand times."""

FRAME_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        # for who opens it alone, too; a page that a link leads to is an ordinary one
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    )
)

# A browser, too, knows a tag by just these letters, whatever stands around them: nothing can be hidden from this.
_CONNECTS: Final = re.compile(r"<(?=(?:link|i?frame|object|embed)[\s/>])", re.IGNORECASE)
_TARGET: Final = re.compile(r"(<a(?:rea)?(?=\s)[^<>]*?\s)target(?=\s*=)", re.IGNORECASE)
_IMAGE: Final = re.compile(r"""(?<=["'(=])cid:([^"'()\s<>]{1,500})""", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_IMAGE_TYPE: Final = re.compile(r"image/[a-z0-9.+-]+")
_OPENS_BESIDE: Final = '<base target="_blank">'


def framed(html: str, files: Sequence[ParsedPart]) -> str:
    """Give the HTML as the frame shows it; `files` are those that came with it."""
    html = _TARGET.sub(r"\1data-target", _CONNECTS.sub("<x-", html))
    html = _with_images(html, {part.content_id: part for part in files if part.content_id})
    doctype = _DOCTYPE.match(html)
    place = doctype.end() if doctype else 0
    return html[:place] + _OPENS_BESIDE + html[place:]


def _with_images(html: str, images: dict[str, ParsedPart]) -> str:
    known: dict[str, str | None] = {}
    left = MOST_IMAGE_CHARACTERS

    def as_data(found: re.Match[str]) -> str:
        nonlocal left
        name = unquote(markup.unescape(found[1]))
        if name not in known:
            known[name] = _data_of(images.get(name))
        address = known[name] or found[0]
        left -= len(address)
        return address if left >= 0 else found[0]

    return _IMAGE.sub(as_data, html)


def _data_of(part: ParsedPart | None) -> str | None:
    if part is None or not _IMAGE_TYPE.fullmatch(part.media_type):
        return None
    return f"data:{part.media_type};base64,{base64.b64encode(part.content()).decode()}"
