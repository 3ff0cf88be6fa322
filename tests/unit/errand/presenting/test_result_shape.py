"""The shape of a result: pictures, tables and small objects. Tables as files are tested in
tests/unit/workers/mail/writing/test_attachments.py.
"""

import json
from base64 import b64encode

import pytest

from errand.presenting.result_shape import (
    MAX_FIELDS,
    Fields,
    Image,
    Table,
    Text,
    fields_of,
    image_of,
    shape_of,
    table_of,
)
from tests.support.hostile import pictures, png

CONTENTS = {
    "image/png": (png(2, 2), "png"),
    "image/jpeg": (b"\xff\xd8\xff\xe0JFIF", "jpg"),
    "image/gif": (b"GIF89a..", "gif"),
    "image/webp": (b"RIFF....WEBPVP8 ", "webp"),
}


def picture(media_type, content, alt="a picture", **more):
    return json.dumps({"media_type": media_type, "data": b64encode(content).decode(), "alt": alt, **more})


@pytest.mark.parametrize("media_type", CONTENTS)
def test_a_picture_is_known_by_its_shape_and_its_first_bytes(media_type):
    content, extension = CONTENTS[media_type]

    image = shape_of(picture(media_type, content), 200)

    assert image == Image(media_type, content, "a picture")
    assert image.extension == extension
    others = [other for other in CONTENTS if other != media_type]
    assert [image_of(picture(other, content)) for other in others] == [None] * 3


@pytest.mark.parametrize(
    "name", [name for name in pictures("http://x/") if not name.startswith(("half", "a picture as", "a picture for"))]
)
def test_a_result_that_only_resembles_a_picture_is_shown_as_what_it_is(name):
    assert isinstance(shape_of(json.dumps(pictures("http://x/")[name]), 200), Fields | Text)


def test_a_result_with_more_or_less_than_a_picture_is_none():
    content = CONTENTS["image/png"][0]

    assert image_of(picture("image/png", content, onload="x")) is None
    assert image_of(picture("image/png", content, alt=None)) is None
    assert image_of("[" + picture("image/png", content) + "]") is None


def test_the_description_of_a_picture_is_one_line():
    assert image_of(picture("image/png", png(2, 2), 'a "b"\r\n\u202ec\0')).alt == 'a "b" c'


def test_a_small_flat_object_is_read_as_names_and_cells_with_every_digit():
    assert fields_of('{"mean":1.50,"n":12345678901234567890,"name":"x","ok":true}', 200) == Fields(
        [("mean", "1.50"), ("n", "12345678901234567890"), ("name", "x"), ("ok", "true")]
    )


@pytest.mark.parametrize(
    "document",
    ["{}", '{"a":[1]}', '{"a":{}}', "[1]", "1", "", "{", json.dumps({f"{n}": n for n in range(MAX_FIELDS + 1)})],
)
def test_anything_but_a_small_flat_object_has_no_fields(document):
    assert fields_of(document, 200) is None


@pytest.mark.parametrize("member", ["four", "a\nb"])
def test_an_object_that_would_not_be_shown_whole_as_fields_is_a_text(member):
    for document in (json.dumps({member: 1}), json.dumps({"n": member})):
        assert shape_of(document, 3) == Text(document, document)
    assert shape_of('{"n":"abc"}', 3) == Fields([("n", "abc")])


@pytest.mark.parametrize(
    ("document", "content"),
    [('"two\\nlines"', "two\nlines"), ('"cut off', '"cut off'), ("1.50", "1.50"), ("[[1]]", "[[1]]"), ("", "")],
)
def test_a_text_is_itself_and_anything_else_is_json(document, content):
    assert shape_of(document, 200) == Text(content, document)


def test_lists_of_flat_objects_and_lists_of_values_are_tables():
    assert table_of('[{"a":1.0},{"b":"x"}]').columns == ("a", "b")
    assert table_of("[1,2]") == Table(("value",), [("1",), ("2",)])
    assert table_of('[1,{"a":1}]') is table_of("[[1]]") is table_of("[]") is None
