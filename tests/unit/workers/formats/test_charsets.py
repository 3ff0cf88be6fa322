"""Character sets: what browsers make of a body and its labels."""

import random
from time import process_time

import pytest

from workers.formats.charsets import decoded, text_of


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        ("utf-8", "é".encode(), "é"),
        ("iso-8859-1", b"\x93quoted\x94 \xe9", "“quoted” é"),
        ("latin1", b"\x80", "€"),
        ("us-ascii", b"\x85", "…"),
        ("windows-1252", b"\x81", "\x81"),
        ("gb2312", "镕 中".encode("gb18030"), "镕 中"),
        ("GB2312", "😀".encode("gb18030"), "😀"),
        ("gbk", b"\x80", "€"),
        ("gb18030", "𠀀".encode("gb18030"), "𠀀"),
        ("Shift_JIS", "①㈱髙".encode("cp932"), "①㈱髙"),
        ("x-sjis", "～".encode("cp932"), "～"),
        ("windows-31j", "表示".encode("cp932"), "表示"),
        ("ms_kanji", b"\xa0", "\ufffd"),
        ("euc-jp", "日本語〜".encode("euc_jp"), "日本語～"),
        ("x-euc-jp", b"\xad\xa1\xad\xea\x8e\xb1", "①㈱ｱ"),
        ("iso-2022-jp", "a日本語b".encode("iso2022_jp"), "a日本語b"),
        ("csiso2022jp", b"\x1b$B-!-j\x1b(B, \x1b(I1\x1b(J", "①㈱, ｱ"),
        ("euc-kr", "똠방각하".encode("cp949"), "똠방각하"),
        ("ks_c_5601-1987", "한국".encode("cp949"), "한국"),
        ("big5", "中文".encode("big5"), "中文"),
        ("big5-hkscs", b"\xa3\xe1", "€"),
        ("windows-1251", "Привет".encode("cp1251"), "Привет"),
        ("koi8-u", b"\xae\xbe", "ўЎ"),
        ("iso-8859-9", "ğ".encode("cp1254"), "ğ"),
        ("tis-620", "ไทย".encode("cp874"), "ไทย"),
        ("windows-1255", b"\xca", "\u05ba"),
        ("utf-16", "é".encode("utf-16-le"), "é"),
        ("utf-16be", "é".encode("utf-16-be"), "é"),
        ("x-user-defined", b"a\xff", "a\uf7ff"),
        ("iso-2022-kr", b"anything", "\ufffd"),
    ],
)
def test_a_label_means_what_browsers_take_it_for(label, body, text):
    for content_type in (f"text/html; charset={label}", f'text/plain; Charset = "{label.upper()}"; x=y'):
        assert text_of(body, content_type, cut=False) == text


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        ("utf-8", b"a\xffb", "a\ufffdb"),
        ("utf-8", b"a\xe4\xb8", "a\ufffd"),
        ("gb2312", b"a\xff\xd6\xd0", "a\ufffd中"),
        ("shift_jis", b"\x82", "\ufffd"),
        ("euc-jp", b"\xff\xa4\xa2", "\ufffdあ"),
        ("iso-2022-jp", b"\x1b$B$\x1b(Bz", "\ufffdz"),
        ("windows-1253", b"\xaa", "\ufffd"),
        ("utf-16le", b"a\0b", "a\ufffd"),
    ],
)
def test_broken_bytes_are_shown_as_such(label, body, text):
    assert text_of(body, f"text/plain; charset={label}", cut=False) == text


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode(), "text/plain; charset=no-such-set", "é"),
        ("é".encode("latin-1"), "text/plain", "é"),
        (b"\x93q\x94 \x80", "text/html", "“q” €"),
        ("grüße, ½ €".encode() + b"\xff", "text/html", "grüße, ½ €\ufffd"),
        ("é".encode("utf-16"), "text/plain; charset=latin1", "é"),
        ("\ufeffé".encode(), "text/html; charset=windows-1252", "é"),
        ("\ufeffé".encode("utf-16-be"), "", "é"),
        ('<meta charset="koi8-r">Я'.encode("koi8-r"), "text/html", '<meta charset="koi8-r">Я'),
        ('<META http-equiv=x content="text/html; charset=windows-1251">Я'.encode("cp1251"), "", ...),
        ('<?xml version="1.0" encoding="iso-8859-2"?>ł'.encode("iso8859-2"), "application/xml", ...),
        ('@charset "windows-1250";ł'.encode("cp1250"), "text/css", ...),
        ("<!-- <meta charset=koi8-r> --><meta charset=windows-1251>Я".encode("cp1251"), "text/html", ...),
        ("<meta charset=utf-16>é".encode(), "text/html", "<meta charset=utf-16>é"),
        ("<meta charset=koi8-r>é".encode(), "text/plain", "<meta charset=koi8-r>é"),
        ("<meta charset=koi8-r>é".encode(), "text/html; charset=utf-8", "<meta charset=koi8-r>é"),
        (b'{"a":"\xff"}', "application/problem+json", '{"a":"\ufffd"}'),
        ("<svg>é".encode(), "image/svg+xml", "<svg>é"),
        ("é".encode(), "application/octet-stream", "é"),
        (b"abc", "text/plain; charset=unicode_escape", "abc"),
        (b"eJw=", "text/plain; charset=base64", "eJw="),
        (b"", "", ""),
    ],
)
def test_without_a_label_that_anybody_knows_the_body_tells(body, content_type, text):
    found = text_of(body, content_type, cut=False)

    if text is ...:
        assert found[-1] in "Яł"
    else:
        assert found == text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n\xff", "image/png"),
        (b"\x89PNG\r\n\x1a\n\0", ""),
        (b"PK\x03\x04", "application/zip"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"\0\1", "text/plain"),
        (b"\xff\xd9", "application/octet-stream"),
    ],
)
def test_what_is_no_text_is_none(body, content_type):
    assert text_of(body, content_type, cut=False) is None


@pytest.mark.parametrize("label", ["", "; charset=utf-8", "; charset=utf-16be", "; charset=gb2312", "; charset=euc-jp"])
def test_a_body_that_was_cut_inside_a_character_is_text_up_to_there(label):
    body = "aあ".encode(label.removeprefix("; charset=") or "utf-8")[:-1]

    assert text_of(body, f"text/plain{label}", cut=True) == "a"
    assert text_of(body, f"text/plain{label}", cut=False) in ("a\ufffd", "aã\x81")


@pytest.mark.parametrize("name", ["euc-jp", "iso-2022-jp", "gbk", "shift_jis", "big5", "windows-1253", "utf-8"])
@pytest.mark.parametrize("sample", [b"\xad\xa1", b"\xff", b"\x81", b"\x1b$B-!\x1b(I11\x1b(B", b"\x1b$B", None])
def test_the_largest_body_ends_soon_whatever_is_in_it(name, sample):
    body = sample * (2**20 // len(sample)) if sample else random.Random(1).randbytes(2**20)
    started = process_time()

    decoded(body, name)

    assert process_time() - started < 5
