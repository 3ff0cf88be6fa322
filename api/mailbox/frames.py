"""Prepares the HTML of a mail for its frame: embeds its images, opens links in new tabs, and loads nothing else.

The frame's sandbox and policy stop a hostile mail: they allow no script, no form and no other host. This file closes
the gap they leave: Chromium connects to a host that a `<link>` or a frame names before it checks the policy.
"""

import base64
import html as markup
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from api.mailbox.mime import ParsedPart

MOST_IMAGE_CHARACTERS: Final = 32 * 1024 * 1024
"""Maximum characters of all embedded images; a mail may show the same image a thousand times."""

FRAME_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        # also if the HTML is opened without the frame; a link opens an ordinary page
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    )
)

# a browser recognises a tag by these very letters, whatever surrounds them, so none escapes this pattern
_CONNECTS: Final = re.compile(r"<(?=(?:link|i?frame|object|embed)[\s/>])", re.IGNORECASE)
_TARGET: Final = re.compile(r"(<a(?:rea)?(?=\s)[^<>]*?\s)target(?=\s*=)", re.IGNORECASE)
_IMAGE: Final = re.compile(r"""(?<=["'(=])cid:([^"'()\s<>]{1,500})""", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_IMAGE_TYPE: Final = re.compile(r"image/[a-z0-9.+-]+")
_OPEN_IN_NEW_TAB: Final = '<base target="_blank">'


def framed(html: str, files: Sequence[ParsedPart]) -> str:
    """Return the HTML as the frame shows it; `files` are the other parts of the mail."""
    html = _TARGET.sub(r"\1data-target", _CONNECTS.sub("<x-", html))
    html = _with_images(html, {part.content_id: part for part in files if part.content_id})
    doctype = _DOCTYPE.match(html)
    place = doctype.end() if doctype else 0
    return html[:place] + _OPEN_IN_NEW_TAB + html[place:]


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
