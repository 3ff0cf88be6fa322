"""Content encodings of responses: undone up to a size, whatever they hold."""

import gzip
import zlib
from time import process_time

import brotli
import pytest

from workers.outbound.content_encoding import undone


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


ENCODERS = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
]


@pytest.mark.parametrize(("name", "encode"), ENCODERS)
@pytest.mark.parametrize("text", [b"", b"hello", bytes(range(256)) * 400])
def test_an_encoding_is_undone(name, encode, text):
    assert undone(encode(text), name.upper(), 200_000) == (text, False)


@pytest.mark.parametrize(("name", "encode"), ENCODERS)
def test_a_bomb_is_cut_off(name, encode):
    started = process_time()

    assert undone(encode(b"x" * 50_000_000), name, 1_000) == (b"x" * 1_000, True)
    assert process_time() - started < 5


@pytest.mark.parametrize(("name", "encode"), ENCODERS[:4])
def test_a_body_that_breaks_off_is_read_up_to_there(name, encode):
    text = b"".join(b"%d " % (n * n) for n in range(50_000))
    body, incomplete = undone(encode(text)[:-1_000], name, 1_000_000)

    assert incomplete
    assert len(body) > 1_000
    assert text.startswith(body)


def test_of_several_encodings_the_last_is_undone_first():
    assert undone(gzip.compress(brotli.compress(b"two")), "br, identity, gzip", 9) == (b"two", False)


def test_of_a_gzip_file_all_members_are_read_in_linear_time():
    started = process_time()

    assert undone(gzip.compress(b"a") * 50_000, "gzip", 1_000_000) == (b"a" * 50_000, False)
    assert process_time() - started < 5


@pytest.mark.parametrize("encodings", ["zstd", "gzip, zstd", "compress", "gzip" + ", gzip" * 9])
def test_an_unknown_encoding_is_not_undone(encodings):
    assert undone(b"abc", encodings, 9) is None


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_encoded_as_it_says_is_not_undone(encoding):
    assert undone(b"plain text", encoding, 99) is None


@pytest.mark.parametrize("encodings", ["", "identity", " , "])
def test_without_an_encoding_the_body_stays(encodings):
    assert undone(b"abc", encodings, 9) == (b"abc", False)
