"""A picture as a result: made of the bytes of a file, and never anything else."""

import json
import re
import time
from typing import Any

import pytest
from pydantic import ValidationError

from errand.presenting.result_shape import image_of
from schemas.picture_sizes import is_too_large
from schemas.pictures import MAX_ALT, Picture
from tests.support.hostile import png
from tests.support.processes import ROOT
from workers.operations.registry import REGISTRY

FILES = {
    "image/png": png(1, 1),
    "image/jpeg": b"\xff\xd8\xff\xe0 and so on",
    "image/gif": b"GIF89a\x10\0\x10\0 and so on",
    "image/webp": b"RIFF\x10\0\0\0WEBPVP8 ",
}


@pytest.mark.parametrize("media_type", FILES)
def test_a_picture_is_known_by_its_first_bytes_and_comes_back_as_it_was(media_type):
    picture = Picture.of(FILES[media_type], "What it shows")

    found = image_of(picture.model_dump_json())

    assert (found.media_type, found.content, found.alt) == (media_type, FILES[media_type], "What it shows")
    assert picture.content == FILES[media_type]


def test_the_operation_that_the_documentation_shows_makes_one():
    guide = (ROOT / "docs" / "your-own-operation.md").read_text(encoding="utf-8")
    [code] = [code for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "Picture" in code]
    made: dict[str, Any] = {}

    exec(code, made)
    REGISTRY.pop("square")

    found = image_of(made["square"]("red").model_dump_json())
    assert (found.media_type, found.alt) == ("image/png", "A square, red")


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"MZ", b"RIFF\x10\0\0\0WAVE"])
def test_other_bytes_make_no_picture(content):
    with pytest.raises(ValueError, match="none of image/png"):
        Picture.of(content, "")


def test_what_it_shows_is_cut_where_it_is_too_long():
    assert len(Picture.of(FILES["image/png"], "x" * 5_000).alt) == MAX_ALT


@pytest.mark.parametrize(
    "change",
    [
        {"media_type": "image/jpeg"},
        {"media_type": "image/svg+xml"},
        {"media_type": "image/png\r\nBcc: a@b.test"},
        {"data": "no base64"},
        {"data": "iVBORw0K\nGgo="},
        {"data": 1},
        {"alt": None},
        {"alt": "x" * (MAX_ALT + 1)},
        {"more": 1},
    ],
    ids=str,
)
def test_what_only_looks_like_one_is_none(change):
    fields = Picture.of(FILES["image/png"], "").model_dump() | change

    with pytest.raises(ValidationError):
        Picture.model_validate(fields)
    assert image_of(json.dumps(fields)) is None


WIDE = b"\x08\xff\xff\xff\xff\3"
"""The head of a JPEG's frame of 65,535 pixels a side."""


@pytest.mark.parametrize(
    "content",
    [
        png(10_000, 10_000),
        b"GIF89a\xff\xff\xe8\x03 and so on",
        b"RIFF\x10\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f",
        b"RIFF\x10\0\0\0WEBPVP8L\0\0\0\0\x2f\xff\xff\xff\xff",
        b"RIFF\x10\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\xff\xff\0\xff\xff\0",
        b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x11" + WIDE,
        b"\xff\xd8\xff\xff\xff\xc2\0\x11" + WIDE,
        b"\xff\xd8\xff\xe0\0\2what decoders skip\0\xff\0\xff\xc0\0\x11" + WIDE,
    ],
    ids=["png", "gif", "webp", "webp lossless", "webp extended", "jpeg", "jpeg with fill bytes", "jpeg with rubbish"],
)
def test_a_picture_with_too_many_pixels_is_refused(content):
    with pytest.raises(ValidationError, match="more than 50,000,000 pixels"):
        Picture.of(content, "")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\0\2" + b"\0" * 5_000_000,
        b"\xff\xd8" + b"\xff" * 5_000_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000,
        b"\xff\xd8" + b"\xff\xd0" * 1_000_000,
    ],
    ids=["zeros", "fill bytes", "empty segments", "no segments"],
)
def test_the_size_of_a_hostile_file_is_looked_for_in_linear_time(content):
    began = time.monotonic()

    assert not is_too_large("image/jpeg", content)

    assert time.monotonic() - began < 5
