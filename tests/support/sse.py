"""A parser of Server-Sent Events, by the HTML standard, for tests."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Message:
    """One block of a stream, which a blank line ends: what a browser would tell its page. Or one comment."""

    id: str | None = None
    event: str = "message"
    data: Any = None
    retry: int | None = field(default=None, compare=False)
    """Holds for the connection, and only happens to stand in this block."""
    comments: list[str] = field(default_factory=list)

    @property
    def said(self) -> tuple[str, Any]:
        """What it tells of the job, in short."""
        return self.event, self.data.get("status") or self.data.get("line") or self.data.get("progress")


@dataclass
class EventSource:
    """What a client that follows the HTML standard keeps from one connection to the next."""

    last_event_id: str = ""
    seen: list[Message] = field(default_factory=list)
    """The messages that it has handed on."""

    def read(self, parts: Iterable[bytes], until: Callable[[Message], bool] = lambda _: False) -> None:
        """Read one connection to its end, wherever that is, or until a message for which `until` is true."""
        last = ""  # by the letter of the standard, each connection begins without an id
        for message in messages(parts):
            if message.comments:
                continue
            last = last if message.id is None else message.id
            self.last_event_id = last
            if message.data is not None:
                self.seen.append(message)
                if until(message):
                    return

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next request."""
        return {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}

    @property
    def said(self) -> list[tuple[str, Any]]:
        """What it has been told, in short."""
        return [message.said for message in self.seen]


def messages(parts: Iterable[bytes]) -> Iterator[Message]:
    """Yield the blocks of a stream as its bytes arrive; an incomplete last block is dropped.

    A comment is yielded at once, as a message of its own: it ends no block.
    """
    message, rest = Message(), b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b":"):
                yield Message(comments=[line[1:].decode().removeprefix(" ")])
            elif line:
                _read(line.decode(), message)
            else:
                yield message
                message = Message()


def told(parts: Iterable[bytes]) -> Iterator[Message]:
    """Return only the messages that have data: those a browser tells its page."""
    return (message for message in messages(parts) if message.data is not None)


def _read(line: str, message: Message) -> None:
    name, _, value = line.partition(":")
    value = value.removeprefix(" ")
    match name:
        case "data":
            assert message.data is None, "one line of data is all that Errand sends"
            message.data = json.loads(value)
        case "retry":
            message.retry = int(value)
        case "id" | "event":
            setattr(message, name, value)
        case _:
            raise AssertionError(f"{line!r} is no line of an event stream")
