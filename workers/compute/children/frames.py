"""What worker and child say to each other: frames of a small JSON header and a payload of text.

Stands between `child_process.py` and `child.py`. The payload (arguments, a result) goes as it is, so that megabytes are
neither parsed nor escaped once more.
"""

import struct
from typing import Any

from pydantic_core import from_json, to_json

_SIZES = struct.Struct("!II")
"""Bytes of the header, bytes of the payload."""

Header = dict[str, Any]
"""`about`: run or cancel, to a child; ready or broken, started, progress, log and ended, from it. `job`: its number."""

Frame = tuple[Header, str]


def pack(header: Header, payload: str = "") -> bytes:
    """Make a frame. Half characters survive: what they are worth is for the reader to judge."""
    head = to_json(header)
    body = payload.encode("utf-8", "surrogatepass")
    return b"".join((_SIZES.pack(len(head), len(body)), head, body))


class FrameReader:
    """Finds the frames in what arrives."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Add what arrived, and give each frame that is complete."""
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
