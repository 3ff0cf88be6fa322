"""Reads the width and height of a picture from the head of its file.

A file of a few bytes may claim to be enormous, and a mail program or a browser would allocate memory for all of it. The
library `imagesize` is not used: decision 22.
"""

import re
import struct
from collections.abc import Callable
from typing import Final

MOST_PIXELS: Final = 50_000_000
"""Pixels of the largest picture that is shown: 200 MB in the program that shows it."""

Size = tuple[int, int]


def is_too_large(media_type: str, content: bytes) -> bool:
    """Return whether a file claims more than `MOST_PIXELS`; False if it claims nothing."""
    try:
        width, height = _SIZES[media_type](content)
    except (struct.error, IndexError):
        return False  # truncated: no program allocates memory for it
    return width * height > MOST_PIXELS


def _png(content: bytes) -> Size:
    return struct.unpack_from(">II", content, 16)


def _gif(content: bytes) -> Size:
    return struct.unpack_from("<HH", content, 6)


def _webp(content: bytes) -> Size:
    match content[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF  # above them is how it is scaled
    return 0, 0


def _jpeg(content: bytes) -> Size:
    """Go from segment to segment until the one that begins a frame; skip what stands between them, as decoders do."""
    at = 2
    while found := _MARKER.search(content, at):
        at, marker = found.end(), found[0][1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, at + 3)
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue  # these have no length
        at += struct.unpack_from(">H", content, at)[0]
    return 0, 0


_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
_SIZES: Final[dict[str, Callable[[bytes], Size]]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/jpeg": _jpeg,
}
