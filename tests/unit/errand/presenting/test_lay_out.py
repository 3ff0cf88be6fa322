"""Layouts: how much of a result is shown, that small parts are not squeezed out, and that what is missing is named."""

import json
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errand.presenting.lay_out import Limits, lay_out
from errand.presenting.layout import Grid, Json, Listing, Members, Node, Plain
from errand.presenting.result_shape import Table, Tree, shape_of
from errand.presenting.room import cost_of

LIMITS = Limits(budget=20_000, rows=50, rows_in_part=20, columns=20, cell=200)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=30), inner, max_size=30),
    max_leaves=60,
)


def laid_out(value: object, **changes: int) -> Node:
    shape = shape_of(value if isinstance(value, str) else json.dumps(value))
    assert isinstance(shape, Table | Tree)
    return lay_out(shape, Limits(**{**{name: getattr(LIMITS, name) for name in LIMITS.__slots__}, **changes}))


def shown(node: Node) -> list[str]:
    """Return all texts that a layout shows."""
    match node:
        case Plain() | Json():
            return [node.text]
        case Members():
            return [text for name, held in node.members for text in (name, *shown(held))]
        case Listing():
            return [text for item in node.items for text in shown(item)]
        case Grid():
            return [*node.columns, *(cell for row in node.rows for cell in row)]


def test_small_members_are_shown_whole_beside_one_that_is_huge():
    node = laid_out({"log": "x" * 50_000, "lines": [[n] * 9 for n in range(400)], "total": 40, "who": "Ada"})

    held = dict(node.members)
    assert (held["total"].text, held["who"].text) == ("40", "Ada")
    assert held["log"].missing == ("The first 2,000 of 50,000 characters",)
    assert held["lines"].missing[0].endswith("of 400 items")
    assert not node.whole


def test_members_that_are_left_out_are_named_and_of_many_names_the_first():
    assert laid_out({f"m{n}": 1 for n in range(53)}).missing == ("3 more members: m50, m51, m52",)
    [said] = laid_out({f"member {n}": 1 for n in range(500)}).missing
    assert said.startswith("450 more members: member 50, member 51, ")
    assert said.endswith(" others")
    assert len(said) < 220


def test_columns_that_are_left_out_are_named():
    node = laid_out([{f"c{n}": n for n in range(21)}] * 3)

    assert node.missing == ("1 more column: c20",)
    assert node.missing_columns == node.missing
    assert len(node.rows) == 3


@pytest.mark.parametrize(("rows", "shows"), [(1, 1), (50, 50), (51, 20), (100_000, 20)])
def test_a_table_is_shown_whole_or_in_its_first_rows(rows, shows):
    node = laid_out([{"n": n} for n in range(rows)])

    assert (len(node.rows), node.size, node.whole) == (shows, rows, shows == rows)
    assert node.missing == (() if shows == rows else (f"20 of {rows:,} rows",))


def test_numbers_keep_every_digit_and_texts_that_look_like_numbers_stay_texts():
    node = laid_out('{"a":1.50,"b":12345678901234567890,"c":"1.50","d":-0,"e":1e400}')

    assert [(held.text, held.kind) for _, held in node.members] == [
        ("1.50", "number"),
        ("12345678901234567890", "number"),
        ("1.50", "text"),
        ("-0", "number"),
        ("1e400", "number"),
    ]


def test_what_is_empty_is_none_and_an_empty_text_says_so():
    node = laid_out({"a": None, "b": [], "c": {}, "d": "", "e": [None, "", False]})

    assert shown(node) == [
        "a",
        "none",
        "b",
        "none",
        "c",
        "none",
        "d",
        "(empty text)",
        "e",
        "none",
        "(empty text)",
        "false",
    ]


def test_a_list_of_short_values_goes_on_one_line_and_longer_texts_do_not():
    short, long = (dict(laid_out({"a": items}).members)["a"] for items in (["x", 1, None], ["x" * 41, "y"]))

    assert (short.flat, short.line) == (True, "x, 1, none")
    assert not long.flat


def test_a_list_of_objects_is_a_table_where_it_can_be_one_and_items_where_not():
    flat, nested = (
        dict(laid_out({"a": items}).members)["a"] for items in ([{"x": 1}, {"y": 2}], [{"x": 1}, {"y": [2]}])
    )

    assert (flat.columns, flat.rows) == (("x", "y"), (("1", ""), ("", "2")))
    assert isinstance(nested, Listing)
    assert isinstance(nested.items[0], Members)


@pytest.mark.parametrize("name", ["", " ", "\u200e", "\ufeff"])
def test_a_name_without_a_visible_character_is_shown_as_none(name):
    table, members = laid_out([{name: ""}, {name: ""}]), laid_out({name: [{"a": 1}], "b": 2})

    assert table.columns == ("(no name)",)
    assert [shown for shown, _ in members.members] == ["(no name)", "b"]


def test_only_what_is_nested_deeper_than_the_limit_is_json():
    document = '{"a":' * 6 + "1" + "}" * 6
    deeper = '{"a":' * 7 + '{"b":[1.50,"x"]}' + "}" * 7

    assert shown(laid_out(document)) == ["a"] * 6 + ["1"]
    assert shown(laid_out(deeper)) == ["a"] * 6 + ['{"a": {"b": [1.50, "x"]}}']
    assert laid_out(deeper).whole


@settings(max_examples=80, deadline=None)
@given(values.filter(lambda value: isinstance(value, dict | list) and value))
def test_what_is_shown_fits_or_says_that_something_is_missing(value):
    node = laid_out(value, budget=6_000)

    assert sum(map(cost_of, shown(node))) <= 6_000 + 2_000
    texts = {text for text in shown(node) if text}
    if node.whole and isinstance(value, dict):
        assert len(node.members) == len(value)
    assert texts


@pytest.mark.parametrize(
    "value",
    [
        "[" * 900 + "1" + "]" * 900,
        [[[n] * 30] * 30 for n in range(150)],
        {f"m{n}": {f"k{m}": "x" * 90 for m in range(50)} for n in range(150)},
        [{"a": ["&" * 1_000] * 9}] * 90,
    ],
    ids=["deep", "lists", "members", "escapes"],
)
def test_a_result_of_any_form_is_laid_out_in_a_moment(value):
    started = process_time()

    laid_out(value, budget=150_000, members=200, items=100)

    assert process_time() - started < 1
