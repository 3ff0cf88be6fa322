"""The answers of the API: JSON, with the headers that all of them carry.

Stands at the end of every request. Next: `problems.py`, for the answers nobody hopes for.
"""

from collections.abc import Mapping
from typing import Final

from flask import Response

NOSNIFF: Final = ("X-Content-Type-Options", "nosniff")


class Answer(Response):
    """A response; JSON unless told otherwise."""

    default_mimetype = "application/json"

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Do as Flask's, and forbid browsers to guess another media type."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they are
        self.headers.add(*NOSNIFF)


def answer(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with JSON text."""
    return Answer(body.encode(), status, headers)
