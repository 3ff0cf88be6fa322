"""A parser of Server-Sent Events, by the HTML standard, for tests."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Message:
    """One block of a stream: what a browser would tell its page, and the comments that only people see."""

    id: str | None = None
    event: str = "message"
    data: Any = None
    retry: int | None = None
    comments: list[str] = field(default_factory=list)

    @property
    def said(self) -> tuple[str, Any]:
        """What it tells of the job, in short."""
        return self.event, self.data.get("status") or self.data.get("line") or self.data.get("progress")


def messages(parts: Iterable[bytes]) -> Iterator[Message]:
    """Yield the blocks of a stream as its bytes arrive; an incomplete last block is dropped."""
    message, rest = Message(), b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line:
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
        case "":
            message.comments.append(value)
        case "data":
            assert message.data is None, "one line of data is all that Errand sends"
            message.data = json.loads(value)
        case "retry":
            message.retry = int(value)
        case "id" | "event":
            setattr(message, name, value)
        case _:
            raise AssertionError(f"{line!r} is no line of an event stream")
