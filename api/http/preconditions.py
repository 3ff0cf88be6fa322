"""Preconditions of requests (RFC 9110, 13): `If-Match` and `If-None-Match` against the current ETag.

A view that changes something asks `check` right before it, and has the store do it only if nothing has changed since.
We send no `Last-Modified`, so `If-Modified-Since` and `If-Unmodified-Since` have nothing to be compared with.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from flask import request

from errand.errors import PreconditionFailed

T = TypeVar("T")

MOST_TRIES: Final = 20
"""How often a change is tried whose precondition still holds, although others have changed the same thing meanwhile."""


def are_given() -> bool:
    """Return whether the request has a precondition."""
    return "HTTP_IF_MATCH" in request.environ or "HTTP_IF_NONE_MATCH" in request.environ


def check(tag: str | None) -> None:
    """Raise PreconditionFailed unless a change may be made to what has this ETag; None: it doesn't exist.

    `If-Match` compares strongly: a weak tag matches nothing. `If-None-Match` compares weakly.
    """
    if "HTTP_IF_MATCH" in request.environ and (tag is None or not request.if_match.contains(tag)):
        raise PreconditionFailed()
    if "HTTP_IF_NONE_MATCH" in request.environ and tag is not None and request.if_none_match.contains_weak(tag):
        raise PreconditionFailed("It exists already, in a version that `If-None-Match` excludes; nothing was changed.")


def not_modified(tag: str) -> bool:
    """Return whether a GET or HEAD is answered with 304. Raises PreconditionFailed if `If-Match` names another tag."""
    if "HTTP_IF_MATCH" in request.environ and not request.if_match.contains(tag):
        raise PreconditionFailed()
    return request.if_none_match.contains_weak(tag)


def while_unchanged(state: Callable[[], str], change: Callable[[str], T | None]) -> T:
    """Make a change that returns None if the state isn't the given one any more; then check and try again.

    `state` checks the preconditions and returns the state for which they hold. Raises what it raises.
    """
    for _ in range(MOST_TRIES):
        done = change(state())
        if done is not None:
            return done
    raise PreconditionFailed("Others change it all the time; nothing was changed. Try again.")
