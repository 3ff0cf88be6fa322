"""Fetch: requests a web page and returns the response.

As an `async def` it waits beside many others in one child process. Next: `workers/outbound/in_child.py`.
"""

import codecs
import re
from time import monotonic
from typing import Annotated, Final
from urllib.parse import urljoin

from pydantic import BaseModel, Field

from workers.operations.registry import operation

MAX_BYTES: Final = 1_048_576
"""Maximum bytes read of a response's body; a longer one is cut."""
SECONDS: Final = 10.0
"""How long the whole request may take, from the name look-up to the last byte."""
MAX_VALUE: Final = 1_000
"""Maximum characters kept of a header."""

_KEPT = (
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "retry-after",
    "server",
    "vary",
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
# none of Python's codecs that are not character sets, or that are very slow for a long text
_DECODED = re.compile(r"utf-(8|16|32)(-\w+)?|ascii|iso8859-\d+|cp\d+|koi8-\w|shift_jis\w*|euc_\w+|gb\w+|big5\w*")


class Fetched(BaseModel):
    """A web server's response."""

    status: Annotated[int, Field(description="The HTTP status; a redirect (300 to 399) is not followed.")]
    location: Annotated[str | None, Field(description="Where a redirect leads; fetch it if you trust it.")]
    content_type: Annotated[str | None, Field(description="The type of the body, as the server names it.")]
    headers: Annotated[dict[str, str], Field(description="Other useful headers, by their names in lower case.")]
    text: Annotated[str | None, Field(description="The body as text; null if it isn't text, such as an image.")]
    bytes: Annotated[int, Field(description="Number of bytes read of the body.")]
    truncated: Annotated[bool, Field(description=f"Whether the body was cut after {MAX_BYTES} bytes.")]
    seconds: Annotated[float, Field(description="How long the request took.")]


@operation(timeout=30, max_attempts=3, backoff=2, retry_on=(ConnectionError, TimeoutError))
async def fetch(
    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            description="A public http:// or https:// address, port 80, 443 or from 1024 up, without user or password.",
            examples=["https://example.com/"],
        ),
    ],
) -> Fetched:
    """Fetch a web page or a document with HTTP GET.

    The host must be on the public internet. Redirects are reported and not followed; a body over 1 MiB is cut after
    1 MiB. A request that fails or takes more than 10 seconds is tried again twice.
    """
    # here, so that only child processes that fetch something load them
    from workers.outbound.address_guard import target
    from workers.outbound.in_child import request

    started = monotonic()
    headers = {"Accept": "*/*", "User-Agent": "Errand"}
    answer = await request("GET", target(url), headers=headers, seconds=SECONDS, most=MAX_BYTES)
    content_type, location = answer.headers.get("content-type"), answer.headers.get("location")
    return Fetched(
        status=answer.status,
        location=_absolute(url, location) if location and 300 <= answer.status < 400 else None,
        content_type=content_type and content_type[:MAX_VALUE],
        headers={name: answer.headers[name][:MAX_VALUE] for name in _KEPT if name in answer.headers},
        text=text_of(answer.body, content_type or "", cut=answer.cut),
        bytes=len(answer.body),
        truncated=answer.cut,
        seconds=round(monotonic() - started, 3),
    )


def text_of(body: bytes, content_type: str, *, cut: bool) -> str | None:
    """Decode a body with the character set that its type names, or UTF-8; return None if it isn't text."""
    named = _CHARSET.search(content_type)
    try:
        codec = codecs.lookup(named[1] if named else "utf-8")
    except LookupError:
        codec = codecs.lookup("utf-8")
    if not _DECODED.fullmatch(codec.name):
        return None
    try:
        # a body that was cut may end within a character, which is then left out
        return str(codec.incrementaldecoder().decode(body, final=not cut))
    except UnicodeError:
        return None


def _absolute(url: str, location: str) -> str:
    try:
        return urljoin(url, location)[:2048]
    except ValueError:
        return location[:2048]
