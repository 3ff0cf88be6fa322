"""The frames that worker and child exchange: a small JSON header and a payload of text.

The payload (arguments or a result) is sent as it is, so that megabytes are not parsed and escaped once more.
"""

import struct
from typing import Any

from pydantic_core import from_json, to_json

_SIZES = struct.Struct("!II")
"""Bytes of the header, bytes of the payload."""

Header = dict[str, Any]
"""`about`: run or cancel, to a child; ready, broken, started, progress, log or ended, from it. `job`: a number.

`trace`: the traceback and its place, of a job that failed."""

Frame = tuple[Header, str]


def pack(header: Header, payload: str = "") -> bytes:
    """Encode a frame. Lone surrogates survive: the reader decides what to do with them."""
    head = to_json(header)
    body = payload.encode("utf-8", "surrogatepass")
    return b"".join((_SIZES.pack(len(head), len(body)), head, body))


class FrameReader:
    """Decodes frames from a stream of bytes."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes that arrived; return the frames that are complete."""
        self._arrived += data
        at, length = 0, len(self._arrived)
        frames = []
        while length - at >= _SIZES.size:
            head, body = _SIZES.unpack_from(self._arrived, at)
            start = at + _SIZES.size
            end = start + head + body
            if length < end:
                break
            payload = self._arrived[start + head : end].decode("utf-8", "surrogatepass")
            frames.append((from_json(self._arrived[start : start + head]), payload))
            at = end
        del self._arrived[:at]
        return frames
