"""The answers of the API: JSON, with the headers that all of them carry.

Stands at the end of every request. Next: `problems.py`, for the answers nobody hopes for.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from flask import Response, request
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NOSNIFF: Final = ("X-Content-Type-Options", "nosniff")
BODILESS: Final = frozenset({204, 304})


class Answer(Response):
    """A response; JSON unless told otherwise."""

    default_mimetype = "application/json"

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Do as Flask's, and forbid browsers to guess another media type."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they are
        if NOSNIFF[0] not in self.headers:
            self.headers.add(*NOSNIFF)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Send the headers as they stand when their length is known: our paths need no escaping.

        werkzeug's own way copies them and takes `Location` apart for each request, a tenth of all its time.
        """
        if "Content-Length" in self.headers and self.status_code not in BODILESS:
            return self.headers
        return super().get_wsgi_headers(environ)

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Give a body that is all there as the list that it is: granian sends that at once, and all else in pieces.

        Pieces go through a queue and wake a thread each, a sixth of the time of an accepted job.
        """
        whole = self.is_sequence and not self.direct_passthrough and not self._on_close
        if not whole or environ["REQUEST_METHOD"] == "HEAD" or self.status_code in BODILESS:
            return super().get_app_iter(environ)
        return list(self.iter_encoded())


def json_or_not_modified(body: str) -> Answer:
    """Answer with JSON text, or with 304 to who has the `ETag` of just this text."""
    tag = blake2b(body.encode(), digest_size=10).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    return (
        json_answer("", 304, headers) if request.if_none_match.contains_weak(tag) else json_answer(body, 200, headers)
    )


def json_answer(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with JSON text."""
    content = body.encode()
    lines = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), NOSNIFF]
    return Answer([content], status, Headers([*lines, *(headers or {}).items()]))
