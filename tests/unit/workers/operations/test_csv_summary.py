"""CSV summary: what people's files look like, and what is made of it."""

import json
import random
from time import process_time

import pytest

from workers.compute.attempt import attempt
from workers.operations import OPERATIONS
from workers.operations.csv_summary import MAX_TEXT, csv_summary


def one(text: str, **options):
    [column] = csv_summary(text, **options)
    return column


def columns(text: str, **options) -> dict[str, str]:
    return {column.column: column.type for column in csv_summary(text, **options)}


def refusal(text: str, **options) -> str:
    ending = attempt(OPERATIONS["csv_summary"], json.dumps({"text": text, **options}), 5_000_000)
    assert ending.kind == "failed"
    return json.loads(ending.payload)["message"]


def test_each_column_is_told_by_type_ends_and_mean():
    name, age, height, born = csv_summary(
        "name,age,height,born\nAda,36,1.65,1815-12-10\nAlan,41,1.8,1912-06-23\nGrace,,1.7,1906-12-09\n"
    )

    assert (name.type, name.minimum, name.maximum, name.mean, name.distinct) == ("text", "Ada", "Grace", None, 3)
    assert (age.type, age.minimum, age.maximum, age.mean, age.count, age.empty) == ("integer", 36, 41, 38.5, 2, 1)
    assert (height.type, height.minimum, height.maximum) == ("number", 1.65, 1.8)
    assert height.mean == pytest.approx(1.71666667)
    assert (born.type, born.minimum, born.maximum, born.example) == ("date", "1815-12-10", "1912-06-23", "1815-12-10")


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("0", "integer"),
        ("-12", "integer"),
        ("9" * 300, "integer"),
        ("9" * 301, "text"),
        ("1.", "number"),
        (".5", "number"),
        ("-1.5e-3", "number"),
        ("1e999", "text"),
        ("1e-999", "number"),
        ("007", "text"),
        ("+49123", "text"),
        ("1,5", "text"),
        ("٣", "text"),
        ("nan", "text"),
        ("inf", "text"),
        ("0x10", "text"),
        ("1_000", "text"),
        ("2026-11-21", "date"),
        ("2026-11-21T08:30", "date"),
        ("2026-11-21 08:30:15.25Z", "date"),
        ("2026-11-21T08:30:15+0530", "date"),
        ("0001-01-01T00:00+23:59", "date"),
        ("2026-02-30", "text"),
        ("20261121", "integer"),
        ("true", "text"),
    ],
)
def test_a_cell_is_what_it_looks_like(cell, kind):
    column = one(f'x\n"{cell}"\n', delimiter=";")

    assert column.type == kind
    assert column.example == cell[:200]


def test_a_column_is_what_all_of_its_cells_are():
    assert one("x\n1\n2.5\n").type == "number"
    assert one("x\n1\n2026-11-21\n").type == "text"
    assert one("x\n1\n\n \n2\n").type == "integer"
    assert (one("x,\n,\n1,\n2,\n", delimiter=";").type, columns("x,y\n,1\n")["x"]) == ("text", "empty")


def test_dates_are_compared_as_moments():
    column = one("at\n2026-01-01T10:00+09:00\n2026-01-01T02:00Z\n2026-01-01T01:30\n")

    assert (column.minimum, column.maximum) == ("2026-01-01T10:00+09:00", "2026-01-01T02:00Z")


def test_the_ends_of_dates_everywhere_on_earth_can_be_compared():
    assert one("at\n0001-01-01T00:00+23:59\n9999-12-31T23:59-23:59\n0001-01-01\n").type == "date"


def test_whole_numbers_are_exact():
    column = one(f"n\n{10**20}\n{10**20 + 2}\n")

    assert (column.minimum, column.maximum, column.mean) == (10**20, 10**20 + 2, 10**20 + 1)


# ---- how it is written


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_and_the_line_ends_are_found_out(delimiter, end):
    text = end.join(delimiter.join(row) for row in (["a", "b"], ["1", "x y"], ["2", '"1,2;3|4\t5"'])) + end

    assert columns(text) == {"a": "integer", "b": "text"}


def test_a_comma_inside_cells_does_not_pass_for_the_delimiter():
    assert columns("place;price\nBonn, am Rhein;1,50\nUlm;2,75\n") == {"place": "text", "price": "text"}


def test_a_given_delimiter_is_not_questioned():
    assert columns("a,b;c\n1,2;3\n", delimiter=";") == {"a,b": "text", "c": "integer"}


def test_quoted_cells_may_hold_everything():
    column = one('text\n"a, ""b""\r\nc"\n', delimiter=",")

    assert column.example == 'a, "b"\r\nc'


def test_a_quote_in_the_middle_of_a_cell_is_a_quote():
    assert [each.example for each in csv_summary('size,of\n5" disk,x\n"a"b,y\n')] == ['5" disk', "x"]


def test_a_quote_that_is_never_closed_is_refused_with_its_row():
    assert refusal('a,b\n1,"open\n2,3\n') == (
        "Row 2 has an unclosed quote; close it, or double it if it belongs to the text."
    )


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert list(columns("\ufeffname,age\nAda,36\n")) == ["name", "age"]


def test_spaces_around_a_cell_do_not_count():
    assert columns(" a , b \n 1 , x \n") == {"a": "integer", "b": "text"}


def test_without_a_header_columns_have_numbers_and_every_row_counts():
    found = csv_summary("1,x\n2,y\n", header=False)

    assert [(each.column, each.count) for each in found] == [("column 1", 2), ("column 2", 2)]


def test_names_that_are_missing_or_come_twice_are_made_distinct():
    names = [each.column for each in csv_summary("a,,a,a (2),column 2,\n1,2,3,4,5,6\n")]

    assert names == ["a", "column 2", "a (2)", "a (2) (2)", "column 2 (2)", "column 6"]


def test_rows_that_are_too_short_have_empty_cells_and_those_too_long_make_columns():
    found = csv_summary("a,b\n1\n1,2,3\n")

    assert [(each.column, each.count, each.empty) for each in found] == [("a", 2, 0), ("b", 1, 1), ("column 3", 1, 1)]


def test_a_header_alone_has_empty_columns():
    assert columns("a,b\n") == {"a": "empty", "b": "empty"}


@pytest.mark.parametrize("text", ["\n", " \n\r\n", "\ufeff", ",,,\n"])
def test_a_text_without_rows_is_refused(text):
    assert refusal(text) == "The text has no rows."


def test_too_many_columns_are_refused():
    assert refusal("x," * 1_001) == "The text has 1002 columns; at most 1000 can be summarised."


@pytest.mark.parametrize("options", [{"delimiter": "x"}, {"delimiter": ",,"}, {"header": 1}, {"more": 1}])
def test_unknown_options_are_refused(options):
    assert refusal("a,b\n", **options)


def test_long_cells_are_shown_in_part():
    column = one("x\n" + "y" * 500_000)

    assert column.example == column.minimum == "y" * 200


# ---- how much of it


@pytest.mark.parametrize(
    "text",
    [
        "a\n" * (MAX_TEXT // 2),
        "2026-01-01T10:00Z\n" * (MAX_TEXT // 18),
        ("," * 999 + "1\n") * (MAX_TEXT // 1001),
        '"' * MAX_TEXT,
        ";" * MAX_TEXT,
        "".join(random.Random(1).choices('",;\t|\n\ra1', k=MAX_TEXT)),
    ],
    ids=["single cells", "dates", "mostly empty", "quotes", "delimiters", "noise"],
)
def test_a_text_of_the_largest_size_ends_soon_whatever_is_in_it(text):
    started = process_time()

    attempt(OPERATIONS["csv_summary"], json.dumps({"text": text}), 5_000_000)

    assert process_time() - started < 5
