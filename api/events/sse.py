"""The wire format of Server-Sent Events, and the answer that streams them. Every event stream of the API uses it."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from flask import request

from api.http.answer import Answer
from errand.errors import StreamsFull
from errand.store import Event

HEARTBEAT_SECONDS: Final = 15.0
"""Longest silence of a stream. The server notices that a client has gone when it writes."""
HELLO: Final = b"retry: 2000\n"
"""First line of a stream: a client that loses the connection reconnects after 2 s.

No blank line follows, here or after a comment. A blank line makes a client store its last id, which is empty by the
letter of the standard until this connection has sent one; and some clients hand on a blank event for it.
"""
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Proxies must neither cache nor buffer a stream; the second header says that to nginx."""
MEDIA_TYPE: Final = "text/event-stream"


def stream(parts: Iterator[bytes], stack: ExitStack) -> Answer:
    """Answer with a stream. `stack` is closed when it ends or the client has gone, even before the first part."""
    answer = Answer(parts, headers=HEADERS, mimetype=MEDIA_TYPE)
    answer.call_on_close(stack.close)
    return answer


def without_stream() -> Answer:
    """Answer a HEAD request with the headers of a stream. Raises StreamsFull for any other method."""
    if request.method != "HEAD":
        raise StreamsFull()
    return Answer(iter(()), headers=HEADERS, mimetype=MEDIA_TYPE)


def event_text(event: Event) -> bytes:
    """Write an event. Its data is JSON on one line."""
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n".encode()


def position(number: str) -> bytes:
    """Write an `id` without an event: the client resumes there, and its page sees nothing.

    Some clients that don't follow the standard hand on a blank event: write it only where no event can carry the `id`.
    """
    return f"id: {number}\n\n".encode()


def comment(text: str) -> bytes:
    """Write a line that clients ignore; it is for people who read the stream."""
    return f": {text}\n".encode()
