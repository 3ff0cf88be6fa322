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
        ("1,5", "number"),
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
    assert columns("place;price\nBonn, am Rhein;1,50\nUlm;2,75\n") == {"place": "text", "price": "number"}


def test_a_given_delimiter_is_not_questioned():
    assert columns("a,b;c\n1,2;3\n", delimiter=";") == {"a,b": "number", "c": "integer"}


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


# ---- as Europe, Excel and pandas write it


def test_a_decimal_comma_is_not_the_delimiter():
    found = csv_summary("Preis, netto;Preis, brutto\n1,50;1,79\n10,00;11,90\n")

    assert [(each.column, each.type, each.minimum, each.maximum) for each in found] == [
        ("Preis, netto", "number", 1.5, 10.0),
        ("Preis, brutto", "number", 1.79, 11.9),
    ]
    assert {(each.delimiter, each.decimal_mark) for each in found} == {("semicolon", "comma")}


@pytest.mark.parametrize(
    ("text", "delimiter", "means"),
    [
        ("0,0;1,52\n0,1;1,49\n", "semicolon", [0.05, 1.505]),
        ("0,0\t1,52\n0,1\t1,49\n", "tab", [0.05, 1.505]),
        ("0,0|1,52\n0,1|1,49\n", "pipe", [0.05, 1.505]),
        ("1;2,5\n3;4,5\n", "semicolon", [2, 3.5]),
        ("1.000,5;2\n2.000,5;4\n", "semicolon", [1500.5, 3]),
        ("1,2\n3,4\n", "comma", [2, 3]),
        ("3,05\n4,15\n", None, [3.6]),
        ("12\n13,5\n9,75\n", None, [11.75]),
    ],
)
def test_without_a_header_the_cells_tell_the_delimiter(text, delimiter, means):
    found = csv_summary(text, header=False)

    assert [each.mean for each in found] == pytest.approx(means)
    assert {each.delimiter for each in found} == {delimiter}


@pytest.mark.parametrize(
    ("text", "kind", "mean"),
    [
        ("preis\n12,50\n13,50", "number", 13),
        ("preis\n12\n13,50\n9", "number", 11.5),
        ("preis\r\n1.234,50\r\n12,50\r\n", "number", 623.5),
        ("préis\n1\u202f234,50\n0,50", "number", 617.5),
        ("name\nLovelace, Ada\nTuring, Alan\n", "text", None),
        ("name\nAda\nAlan\n", "text", None),
        ('n\n"1,500"\n"2,500"\n', "integer", 2000),
        ("preis\n1,50 €\n2,50 €\n", "text", None),
        ("betrag\n1.234,50 CHF\nEUR 2,00\n", "text", None),
        ("delta\n+1,50\n-0,50\n", "text", None),
        ("anteil\n1,5%\n(2,5 %)\n", "text", None),
    ],
)
def test_one_column_has_no_delimiter(text, kind, mean):
    column = one(text)

    assert (column.delimiter, column.type, column.mean) == (None, kind, mean)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("units", [("€", "€"), ("CHF", "%"), ("km/h", "°C")])
def test_amounts_with_units_are_not_split_at_their_decimal_commas(units, header):
    rows = [f"{number},50 {units[0]};{number + 3},79 {units[1]}" for number in range(1, 12)]
    found = csv_summary("\n".join(["netto;brutto", *rows][not header :]), header=header)

    assert [(each.delimiter, each.count) for each in found] == [("semicolon", 11)] * 2


@pytest.mark.parametrize("text", ["n\nA,1\nB,2\n", "id,preis\n1,5 €\n2,6 €\n", "x\n1,2,3\n4,5,6\n"])
def test_commas_between_cells_stay_delimiters(text):
    assert {each.delimiter for each in csv_summary(text)} == {"comma"}


@pytest.mark.parametrize("text", ["name,tags\nAda,a;b\nAlan,c;d\n", "x,y\n1;2,3\n4;5,6\n7,8\n"])
def test_semicolons_inside_cells_do_not_pass_for_the_delimiter(text):
    assert {each.delimiter for each in csv_summary(text)} == {"comma"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "ï»¿"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}"])
@pytest.mark.parametrize("character", [";", ",", "\t", "|", "^", ":"])
def test_the_first_line_of_excel_names_the_delimiter(character, line, mark, end):
    rows = [line.replace("{}", character), character.join(["name", "age"]), character.join(["Ada", "36"])]
    name, age = csv_summary(mark + end.join(rows) + end)

    assert (name.column, name.example, age.column, age.type, age.maximum) == ("name", "Ada", "age", "integer", 36)
    assert name.delimiter == {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe"}.get(character, character)


def test_the_first_line_of_excel_may_be_filled_up_with_delimiters():
    assert list(columns("sep=;;;\na;b\n1;2\n")) == ["a", "b"]


def test_the_first_line_of_excel_is_no_row_without_a_header_either():
    assert [each.count for each in csv_summary("sep=;\n1,5;2\n", header=False)] == [1, 1]


def test_a_column_may_be_named_sep():
    assert list(columns("sep=a,b\n1,2\n")) == ["sep=a", "b"]


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
@pytest.mark.parametrize("blank", [" ", "   "])
def test_a_cell_is_quoted_also_after_a_blank(delimiter, blank):
    rows = [["name", "title", "n"], ["Ada", f'"Countess{delimiter} Lovelace"', "1"], ["Alan", '"a ""b"""', "2"]]
    name, title, n = csv_summary("\n".join(f"{delimiter}{blank}".join(row) for row in rows))

    assert (name.column, title.column, title.maximum) == ("name", "title", 'a "b"')
    assert (title.minimum, n.type) == (f"Countess{delimiter} Lovelace", "integer")


@pytest.mark.parametrize(
    ("cells", "kind", "maximum", "marks"),
    [
        (["1.234,56", "7,5"], "number", 1234.56, ("comma", "point")),
        (["1 234,56", "7,5"], "number", 1234.56, ("comma", "space")),
        (["1\xa0234,56"], "number", 1234.56, ("comma", "space")),
        (["1\u202f234\u202f567,8"], "number", 1234567.8, ("comma", "space")),
        (["1'234.56", "0.5"], "number", 1234.56, ("point", "apostrophe")),
        (["1’234’567"], "integer", 1234567, (None, "apostrophe")),
        (["1,234.56", "7.5"], "number", 1234.56, ("point", "comma")),
        (["1,234,567", "999"], "integer", 1234567, (None, "comma")),
        (["1.084.831", "310.000"], "integer", 1084831, (None, "point")),
        (["\u221212,5", "-13,5"], "number", -12.5, ("comma", None)),
        (["1,5E+03", "2,5e-3"], "number", 1500, ("comma", None)),
        ([",5", "1,"], "number", 1, ("comma", None)),
        (["0,123"], "number", 0.123, ("comma", None)),
        (["1.500"], "number", 1.5, ("point", None)),
        (["1,500"], "number", 1.5, ("comma", None)),
    ],
)
def test_numbers_are_read_as_they_are_written(cells, kind, maximum, marks):
    column = csv_summary("\n".join(["x;y", *(f'"{cell}";' for cell in cells)]))[0]

    assert (column.type, column.maximum, (column.decimal_mark, column.thousands_mark)) == (kind, maximum, marks)


@pytest.mark.parametrize(
    "cells",
    [
        ["1,5", "1.5"],
        ["1.23.456"],
        ["12.34,5"],
        ["1,2,3"],
        ["1.234,567,8"],
        ["01,5"],
        ["1 23"],
        ["1.234 567"],
        ["192.168.100.200", "192.168.100.201"],
        ["+1,5"],
        ["1,5 €"],
    ],
)
def test_what_is_no_number_in_any_one_way_is_text(cells):
    assert csv_summary("\n".join(["x;y", *(f'"{cell}";' for cell in cells)]))[0].type == "text"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a;b\n1.500;1,5\n2.500;2,5\n", [2500, 2.5]),
        ("a;b\n1,500;1.5\n2,500;2.5\n", [2500, 2.5]),
        ("a;b\n1.500;1\n2.500;2\n", [2.5, 2]),
        ('a,b\n"1,500",1\n"2,500",2\n', [2500, 2]),
        ('a,b\n"1,500","0,5"\n"2,500","2,5"\n', [2.5, 2.5]),
    ],
)
def test_an_ambiguous_column_is_read_as_the_others_are(text, values):
    assert [each.maximum for each in csv_summary(text)] == values


@pytest.mark.parametrize(
    ("earlier", "later", "order"),
    [
        ("31.12.2025", "1.1.2026", "day-month-year"),
        ("31.12.25", "01.01.26", "day-month-year"),
        ("31. 12. 2025", "1. 1. 2026", "day-month-year"),
        ("31/12/2025", "01/01/2026", "day-month-year"),
        ("12/31/2025", "01/01/2026", "month-day-year"),
        ("12/31/25 11:59 PM", "1/1/26 12:00 AM", "month-day-year"),
        ("01/02/2026 9:00 AM", "01/02/2026 1:00 PM", "month-day-year"),
        ("02/01/2026", "01/02/2026", "day-month-year"),
        ("31-12-2025", "01-01-2026", "day-month-year"),
        ("31-Dec-25", "1-Jan-26", "day-month-year"),
        ("31 December 2025", "1 January 2026", "day-month-year"),
        ("Dec 31, 2025", "Jan 1, 2026", "month-day-year"),
        ("2025/12/31", "2026/1/1", "year-month-day"),
        ("2025. 12. 31.", "2026. 01. 01.", "year-month-day"),
        ("31.12.2025 23:59", "01.01.2026 00:00:01", "day-month-year"),
        ("31.12.2025, 23:59:59", "01.01.2026, 00:00:00", "day-month-year"),
        ("2025-12-31 23:59:59.123456789", "2026-01-01 00:00:00.000000000", "year-month-day"),
        ("2025-12-31 23:59:59+00:00", "2026-01-01 01:00:00+01:00", "year-month-day"),
        ("2025-12-31T23:59:59,5Z", "2026-01-01T00:00:00Z", "year-month-day"),
        ("31-Dec-99", "1-Jan-00", "day-month-year"),
    ],
)
def test_dates_are_read_as_they_are_written(earlier, later, order):
    column = csv_summary(f'at;x\n"{later}";\n"{earlier}";\n')[0]

    assert (column.type, column.minimum, column.maximum) == ("date", earlier, later)
    assert column.date_order == order


def test_ambiguous_dates_are_read_as_those_of_other_columns():
    text = "a,b\n02/01/2026,01/31/2026\n01/02/2026,02/01/2026\n"

    assert [(each.minimum, each.date_order) for each in csv_summary(text)] == [
        ("01/02/2026", "month-day-year"),
        ("01/31/2026", "month-day-year"),
    ]


@pytest.mark.parametrize(
    "cell", ["30.02.2026", "32.1.2026", "13/13/2026", "1.13.2026", "31.12.2025 25:00", "12/31/2025 13:00 PM", "1.2.3.4"]
)
def test_what_no_calendar_has_is_text(cell):
    assert one(f"x\n{cell}\n").type == "text"


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
        "1\n" * (MAX_TEXT // 2),
        "1,5\n" * (MAX_TEXT // 4),
        "1 234\n" * (MAX_TEXT // 6) + "x",
        "1/1/26\n" * (MAX_TEXT // 8) + "x",
        "\ufeff" * MAX_TEXT,
        "1,234" + ",234" * (MAX_TEXT // 4 - 2),
        "a, " * (MAX_TEXT // 3),
        "sep=" + ";" * (MAX_TEXT - 4),
    ],
    ids=[
        "single cells",
        "dates",
        "mostly empty",
        "quotes",
        "delimiters",
        "noise",
        "integers",
        "decimal commas",
        "numbers until the last",
        "dates until the last",
        "marks",
        "one long number",
        "prose",
        "a long first line",
    ],
)
def test_a_text_of_the_largest_size_ends_soon_whatever_is_in_it(text):
    started = process_time()

    attempt(OPERATIONS["csv_summary"], json.dumps({"text": text}), 5_000_000)

    assert process_time() - started < 5
