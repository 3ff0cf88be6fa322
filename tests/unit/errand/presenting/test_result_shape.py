"""The shape of a result: pictures, tables and small objects. Tables as files are tested in
tests/unit/workers/mail/writing/test_attachments.py.
"""

import json
from base64 import b64encode

import pytest

from errand.presenting.result_shape import MAX_TREE, MAX_VALUES, Image, Table, Text, Tree, image_of, shape_of, table_of
from errand.presenting.safe_text import Number
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

    image = shape_of(picture(media_type, content))

    assert image == Image(media_type, content, "a picture")
    assert image.extension == extension
    others = [other for other in CONTENTS if other != media_type]
    assert [image_of(picture(other, content)) for other in others] == [None] * 3


@pytest.mark.parametrize(
    "name", [name for name in pictures("http://x/") if not name.startswith(("half", "a picture as", "a picture for"))]
)
def test_a_result_that_only_resembles_a_picture_is_shown_as_what_it_is(name):
    assert isinstance(shape_of(json.dumps(pictures("http://x/")[name])), Tree | Text)


def test_a_result_with_more_or_less_than_a_picture_is_none():
    content = CONTENTS["image/png"][0]

    assert image_of(picture("image/png", content, onload="x")) is None
    assert image_of(picture("image/png", content, alt=None)) is None
    assert image_of("[" + picture("image/png", content) + "]") is None


def test_the_description_of_a_picture_is_one_line():
    assert image_of(picture("image/png", png(2, 2), 'a "b"\r\n\u202ec\0')).alt == 'a "b" c'


def test_an_object_or_a_list_that_is_no_table_is_a_tree_with_every_digit():
    tree = shape_of('{"mean":1.50,"n":12345678901234567890,"text":"1.50","more":[[true],null]}')

    assert tree == Tree({"mean": "1.50", "n": "12345678901234567890", "text": "1.50", "more": [[True], None]})
    assert [isinstance(value, Number) for value in tree.value.values()] == [True, True, False, False]


@pytest.mark.parametrize("document", ["{}", "[]", "1", "", "{", "[1", "[" * 100_000, f'{{"a":"{"x" * MAX_TREE}"}}'])
def test_what_has_nothing_in_it_or_can_not_be_read_is_no_tree(document):
    assert shape_of(document) == Text(document, document)


@pytest.mark.parametrize(
    ("document", "content"),
    [('"two\\nlines"', "two\nlines"), ('"cut off', '"cut off'), ("1.50", "1.50"), ("[]", "[]"), ("", "")],
)
def test_a_text_is_itself_and_anything_else_is_json(document, content):
    assert shape_of(document) == Text(content, document)


def test_lists_of_flat_objects_and_lists_of_values_are_tables():
    assert table_of('[{"a":1.0},{"b":"x"}]').columns == ("a", "b")
    assert table_of("[1,2]") == Table(("value",), [("1",), ("2",)])
    assert table_of("[1,[2]]") is table_of('[{"a":[1]}]') is table_of("[{}]") is None
    assert table_of('[1,{"a":1}]') is table_of("[[1]]") is table_of("[]") is None


def test_a_table_of_megabytes_is_a_table_and_one_far_larger_than_its_result_is_none():
    rows = [{"name": f"person {n}", "age": n, "town": "a town", "born": None, "height": 1.5} for n in range(40_000)]
    document = json.dumps(rows)
    assert len(document) > 2_500_000

    assert len(table_of(document).rows) == 40_000
    assert table_of(json.dumps([{f"key{n}": n} for n in range(2_000)])) is None
    assert table_of(json.dumps([1] * (MAX_VALUES + 1))) is None
