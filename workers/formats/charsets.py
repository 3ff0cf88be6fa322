"""Decodes a web page or document as browsers do: the character sets and their labels of the WHATWG Encoding Standard.

`workers/operations/fetch.py` calls it. webencodings knows the labels; most character sets are Python's codecs, and the
corrections here make these decode what browsers decode. Broken bytes become U+FFFD.
"""

import codecs
import re
from typing import Final

import webencodings

UTF_8: Final = "utf-8"
WINDOWS_1252: Final = "windows-1252"

_PRESCANNED: Final = 1024
"""Bytes of a page in which browsers look for a label."""
_PARAMETER: Final = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]{1,40})""", re.IGNORECASE)
_COMMENT: Final = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_IN_PAGE: Final = re.compile(
    rb"""<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]{1,40})|<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']{1,40})["']"""
    rb"""|\A@charset\s"([^"]{1,40})";""",
    re.IGNORECASE,
)
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", UTF_8), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_TEXT_TYPE: Final = re.compile(
    r"text/.*|.*[+/](?:json|xml|yaml)|application/(?:.*javascript|.*ecmascript|x-www-form-urlencoded|x-ndjson|toml|sql)"
)
_UTF_8_TYPE: Final = re.compile(r".*[+/](?:json|x-ndjson)|text/event-stream")
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text has, by the MIME Sniffing Standard."""

_NOT_ASCII: Final = bytes(range(128, 256))

_ERRORS: Final = "errand.charsets"
_PYTHON_NAMES: Final = {"gbk": "gb18030", "euc-jp": "euc_jp", "iso-2022-jp": "euc_jp"}
"""Codecs that come closer to the standard than those of webencodings."""
_LIKE_WINDOWS: Final = str.maketrans("〜‖−¢£¬—", "～∥－￠￡￢―")
"""Signs of JIS X 0208 for which Python and browsers have different characters."""
_CORRECTIONS: Final = {
    "euc-jp": _LIKE_WINDOWS,
    "iso-2022-jp": _LIKE_WINDOWS,
    "shift_jis": str.maketrans("\uf8f0\uf8f1\uf8f2\uf8f3", "\ufffd" * 4),
    "koi8-u": str.maketrans("╝╬", "ўЎ"),
}
_ESCAPE: Final = re.compile(rb"\x1b(\$[@B]|\([BJI])")


def text_of(body: bytes, content_type: str, *, cut: bool) -> str | None:
    """Decode a body; return None if it isn't text. A body that was `cut` may end within a character, which is left out.

    A byte order mark counts before the label of `content_type`, this before the label in the page, this before a guess:
    UTF-8 if most of what isn't ASCII is UTF-8, else windows-1252.
    """
    kind = content_type.partition(";")[0].strip().lower()
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if body.startswith(mark)), None)
    labelled = marked or _labelled(content_type)
    if kind and not _TEXT_TYPE.fullmatch(kind) and not labelled:
        return _strict(body, cut=cut)
    if not labelled and _BINARY.search(body, 0, _PRESCANNED):
        return None
    name = labelled or (UTF_8 if _UTF_8_TYPE.fullmatch(kind) else _in_page(body, kind) or _guessed(body, cut=cut))
    return decoded(body, name, cut=cut).removeprefix("\ufeff")


def decoded(body: bytes, name: str, *, cut: bool = False) -> str:
    """Decode bytes by the encoding of this name, as the standard writes it."""
    if name == "replacement":  # what the standard reads as nothing, since it has been used for attacks
        return "\N{REPLACEMENT CHARACTER}" if body else ""
    if name == "iso-2022-jp":
        body = _as_euc(body)
    codec = codecs.lookup(_PYTHON_NAMES[name]) if name in _PYTHON_NAMES else webencodings.lookup(name).codec_info
    text = str(codec.incrementaldecoder(_ERRORS).decode(body, final=not cut))
    return text.translate(_CORRECTIONS[name]) if name in _CORRECTIONS else text


def _strict(body: bytes, *, cut: bool) -> str | None:
    if _BINARY.search(body, 0, _PRESCANNED):
        return None
    try:
        return codecs.getincrementaldecoder(UTF_8)().decode(body, final=not cut)
    except UnicodeError:
        return None


def _labelled(content_type: str) -> str | None:
    found = _PARAMETER.search(content_type)
    return _named(found[1]) if found else None


def _named(label: str) -> str | None:
    """Return the name of the encoding that a label stands for; None if the standard doesn't know the label."""
    encoding = webencodings.lookup(label) if label.isascii() else None
    return str(encoding.name) if encoding else None


def _in_page(body: bytes, kind: str) -> str | None:
    if kind == "text/plain":
        return None
    found = _IN_PAGE.search(_COMMENT.sub(b"", body[:_PRESCANNED]))
    if not found:
        return None
    name = _named((found[1] or found[2] or found[3]).decode("latin-1"))
    # a label that can be read in ASCII isn't true of UTF-16
    return {"utf-16le": UTF_8, "utf-16be": UTF_8, "x-user-defined": WINDOWS_1252}.get(name or "", name)


def _guessed(body: bytes, *, cut: bool) -> str:
    text = codecs.getincrementaldecoder(UTF_8)("replace").decode(body, final=not cut)
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    whole = len(text) - broken - len(body.translate(None, _NOT_ASCII))
    return UTF_8 if whole >= broken else WINDOWS_1252


def _as_euc(body: bytes) -> bytes:
    """Rewrite ISO-2022-JP as EUC-JP, which has the same characters without escape sequences."""
    first, *rest = _ESCAPE.split(body)
    pieces = [first]
    for escape, piece in zip(rest[::2], rest[1::2], strict=True):
        high = piece.translate(_HIGH)
        if escape.startswith(b"$"):
            pieces.append(high)
        elif escape == b"(I":
            pieces.append(b"".join(b"\x8e" + high[n : n + 1] for n in range(len(high))))
        else:
            pieces.append(piece)
    return b"".join(pieces)


_HIGH: Final = bytes(each | 0x80 if 0x21 <= each <= 0x7E else each for each in range(256))


def _mended(error: UnicodeError) -> tuple[str, int]:
    """Decode what Python's codecs refuse and browsers know; anything else is U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, end = error.start, error.end
    first, pair = error.object[start], error.object[start : start + 2]
    if error.encoding == "charmap" and 0x80 <= first <= 0x9F:
        return chr(first), start + 1
    if error.encoding == "charmap" and first == 0xCA:
        return "\N{HEBREW POINT HOLAM HASER FOR VAV}", start + 1
    if error.encoding == "gb18030" and first == 0x80:
        return "€", start + 1
    if error.encoding == "big5hkscs" and pair == b"\xa3\xe1":
        return "€", start + 2
    if error.encoding == "euc_jp" and len(pair) == 2 and (known := _of_windows(pair)):
        return known, start + 2
    return "\N{REPLACEMENT CHARACTER}", end


def _of_windows(pair: bytes) -> str:
    """Return the character that Microsoft added to JIS X 0208 at this place, such as ① and ㈱; or nothing."""
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    if not (0 <= row < 94 and 0 <= cell < 94):
        return ""
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
    return bytes((lead, trail)).decode("cp932", "ignore")


codecs.register_error(_ERRORS, _mended)
