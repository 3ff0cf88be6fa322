"""Layouts in the text part of a mail: lines that fit, and a note wherever something is missing."""

import json

import pytest

from errand.presenting.lay_out import Limits, lay_out
from errand.presenting.result_shape import shape_of
from workers.mail.writing.layout_text import layout_as_text
from workers.mail.writing.text_layout import WIDTH

LIMITS = Limits(budget=20_000, rows=50, rows_in_part=20, columns=20, cell=200)


def text(value: object) -> tuple[str, bool]:
    return layout_as_text(lay_out(shape_of(json.dumps(value)), LIMITS))


def test_short_members_are_set_in_columns_and_longer_ones_on_lines_of_their_own():
    assert text({"a": 1, "long name": "x"}) == ("a          1\nlong name  x", True)
    assert text({"a": "x " * 50})[0] == "a:\n  " + ("x " * 37).strip() + "\n  " + ("x " * 13).strip()


def test_items_are_marked_and_what_is_in_them_is_indented():
    assert text([[1, 2], {"a": {"b": 3, "c": ["x" * 50]}}])[0].splitlines() == [
        "- 1, 2",
        "- a:",
        "    b: 3",
        "    c:",
        f"      - {'x' * 50}",
    ]


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ({"rows": [{"n": n} for n in range(60)]}, "  (20 of 60 rows.)"),
        ({"deep": {"m": {f"k{n}": n for n in range(51)}}}, "    (1 more member: k50.)"),
        ({"items": [["x" * 50]] * 51}, "  (50 of 51 items.)"),
        ({"text": "word " * 500}, "  (The first 2,000 of 2,500 characters.)"),
        ([{"a": "x" * 60, "b": "y" * 60, "c": "z" * 60}] * 30, "(15 of 30 rows.)"),
    ],
    ids=["rows", "members", "items", "text", "blocks"],
)
def test_a_note_says_at_its_place_what_is_missing(value, note):
    lines, whole = text(value)

    assert note in lines.splitlines()
    assert not whole


def test_lines_that_can_be_broken_fit():
    value = {"a": {"b": {"c": "word " * 100, "d": list(range(300)), "e": [{"x": "word " * 20, "y": "word " * 20}] * 3}}}

    assert max(map(len, text(value)[0].splitlines())) <= WIDTH
