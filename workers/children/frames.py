"""What worker and child say to each other: frames of a small JSON header and a payload of text.

Stands between `process.py` and `child.py`. The payload (arguments, a result) goes as it is, so that megabytes are
neither parsed nor escaped once more.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

_SIZES = struct.Struct("!II")
"""Bytes of the header, bytes of the payload."""

Header = dict[str, Any]
"""`about`: run or cancel, to a child; ready or broken, started, progress, log and ended, from it. `job`: its number."""


def pack(header: Header, payload: str = "") -> bytes:
    """Make a frame. Half characters survive: what they are worth is for the reader to judge."""
    head = json.dumps(header, separators=(",", ":")).encode()
    body = payload.encode("utf-8", "surrogatepass")
    return b"".join((_SIZES.pack(len(head), len(body)), head, body))


class Unpacker:
    """Finds the frames in what arrives."""

    def __init__(self) -> None:
        self._arrived = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Header, str]]:
        """Add what arrived, and give each frame that is complete."""
        self._arrived += data
        while len(self._arrived) >= _SIZES.size:
            head, body = _SIZES.unpack_from(self._arrived)
            start, end = _SIZES.size + head, _SIZES.size + head + body
            if len(self._arrived) < end:
                return
            header: Header = json.loads(self._arrived[_SIZES.size : start])
            payload = self._arrived[start:end].decode("utf-8", "surrogatepass")
            del self._arrived[:end]
            yield header, payload
