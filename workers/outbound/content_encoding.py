"""Undoes the Content-Encoding of a response: gzip, deflate and br, up to a size.

Errand asks for none (`Accept-Encoding: identity`), but some servers compress all the same. The operation `fetch` calls
it. Next: `workers/formats/charsets.py`, which reads the text.
"""

import zlib
from collections.abc import Callable
from contextlib import suppress
from gzip import GzipFile
from io import BytesIO
from typing import Final

import brotli

MAX_LAYERS: Final = 4
"""Encodings one on top of the other; nobody has a use for more than one."""


def undone(body: bytes, encodings: str, most: int) -> tuple[bytes, bool] | None:
    """Return the body without its encodings, and whether it is incomplete: broken off, or longer than `most` bytes.

    Returns None for an encoding that isn't known, or if the body isn't encoded as it says.
    """
    layers = [each.strip().lower() for each in encodings.split(",")]
    layers = [each for each in layers if each not in ("", "identity")]
    if len(layers) > MAX_LAYERS or not set(layers) <= set(_DECODERS):
        return None
    incomplete = False
    for layer in reversed(layers):
        whole, again = body, _DECODERS[layer](body, most)
        body, incomplete = again[0], incomplete or again[1]
        if whole and not body and incomplete:
            return None
    return body, incomplete


def _gunzipped(body: bytes, most: int) -> tuple[bytes, bool]:
    """Read all members of a gzip file."""
    parts, size = list[bytes](), 0
    with suppress(OSError, EOFError, zlib.error), GzipFile(fileobj=BytesIO(body)) as file:
        while size <= most:
            part = file.read1(_PIECE)
            if not part:
                return b"".join(parts), False
            parts.append(part)
            size += len(part)
    return b"".join(parts)[:most], True


def _deflated(body: bytes, most: int) -> tuple[bytes, bool]:
    """Read a zlib stream, or a raw one, which some servers send for `deflate`."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream, parts = zlib.decompressobj(bits), [b""]
        with suppress(zlib.error):
            for start in range(0, len(body), _PIECE):
                parts.append(stream.decompress(body[start : start + _PIECE], most + 1))
                if stream.eof or stream.unconsumed_tail:
                    break
        text = b"".join(parts)
        if text or stream.eof:
            return text[:most], len(text) > most or not stream.eof
    return b"", True


def _unbrotlied(body: bytes, most: int) -> tuple[bytes, bool]:
    stream, parts, size, piece = brotli.Decompressor(), list[bytes](), 0, body
    with suppress(brotli.error):
        while size <= most and not stream.is_finished():
            part = stream.process(piece, output_buffer_limit=most - size + 1)
            if not part and not piece:
                break
            parts.append(part)
            size += len(part)
            piece = b""
    return b"".join(parts)[:most], size > most or not stream.is_finished()


_PIECE: Final = 65_536
_DECODERS: Final[dict[str, Callable[[bytes, int], tuple[bytes, bool]]]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _deflated,
    "br": _unbrotlied,
}
