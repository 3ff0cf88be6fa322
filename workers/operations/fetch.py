"""Fetch: requests a web page and returns the response.

As an `async def` it waits beside many others in one child process. Next: `workers/outbound/in_child.py`.
"""

from time import monotonic
from typing import Annotated, Final
from urllib.parse import quote

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
_IN_ADDRESSES: Final = "!#$%&'()*+,/:;=?@[]~"


class Fetched(BaseModel):
    """A web server's response."""

    status: Annotated[int, Field(description="The HTTP status; a redirect (300 to 399) is not followed.")]
    location: Annotated[str | None, Field(description="Where a redirect leads; fetch it if you trust it.")]
    content_type: Annotated[str | None, Field(description="The type of the body, as the server names it.")]
    headers: Annotated[dict[str, str], Field(description="Other useful headers, by their names in lower case.")]
    text: Annotated[str | None, Field(description="The body as text; null if it isn't text, such as an image.")]
    bytes: Annotated[int, Field(description="Number of bytes read of the body, without its Content-Encoding.")]
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
    1 MiB. Text is read as browsers read it: by its byte order mark, the label of the response or of the page, or else
    as UTF-8 or windows-1252, with U+FFFD for broken bytes. A request that fails or takes more than 10 seconds is tried
    again twice.
    """
    # here, so that only child processes that fetch something load them
    from workers.formats.charsets import text_of
    from workers.outbound.address_guard import target
    from workers.outbound.content_encoding import undone
    from workers.outbound.in_child import request

    started = monotonic()
    headers = {"Accept": "*/*", "User-Agent": "Errand"}
    answer = await request("GET", target(url), headers=headers, seconds=SECONDS, most=MAX_BYTES)
    decoded = undone(answer.body, answer.headers.get("content-encoding", ""), MAX_BYTES)
    body, incomplete = decoded or (answer.body, False)
    content_type, location = answer.headers.get("content-type"), answer.headers.get("location")
    return Fetched(
        status=answer.status,
        location=_followed(url, location) if location and 300 <= answer.status < 400 else None,
        content_type=content_type and content_type[:MAX_VALUE],
        headers={name: answer.headers[name][:MAX_VALUE] for name in _KEPT if name in answer.headers},
        text=text_of(body, content_type or "", cut=answer.cut or incomplete) if decoded else None,
        bytes=len(body),
        truncated=answer.cut or incomplete,
        seconds=round(monotonic() - started, 3),
    )


def _followed(url: str, location: str) -> str:
    """Return the address that a browser would follow: absolute, in ASCII, with the host as DNS has it."""
    import ada_url

    # h11 gives the bytes of a header as latin-1, and servers that don't escape send UTF-8
    try:
        location = location.encode("latin-1").decode()
    except UnicodeError:
        location = quote(location, safe=_IN_ADDRESSES, encoding="latin-1")
    try:
        return ada_url.join_url(url, location)[:2048]
    except ValueError:
        return location[:2048]
