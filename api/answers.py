"""The answers of the API: JSON, with the headers that all of them carry.

Stands at the end of every request. Next: `problems.py`, for the answers nobody hopes for.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flask import Response
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
        self.headers.setdefault(*NOSNIFF)

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Send the headers as they stand: our paths need no escaping, and the body is in memory.

        werkzeug's own way copies them and takes `Location` apart for each request, a tenth of all its time.
        """
        if self.status_code in BODILESS or not self.is_sequence:
            return super().get_wsgi_headers(environ)
        self.headers["Content-Length"] = str(sum(map(len, self.response)))  # type: ignore[arg-type]  # a list of bytes
        return self.headers


def answer(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with JSON text."""
    return Answer(body.encode(), status, headers)
