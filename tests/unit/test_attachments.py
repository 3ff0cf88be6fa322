"""Attachments: a result as a table that every spreadsheet reads and none runs."""

import csv
import json
from io import StringIO
from time import process_time

import pytest

from workers.attachments import MAX_BYTES, MAX_CELLS, attachment

RECORD = {"operation": "csv_summary", "attachment": "csv", "result": '[{"a":1}]'}


def file(result, **changes):
    document = result if isinstance(result, str) else json.dumps(result)
    return attachment({**RECORD, "result": document, **changes})


def rows(result) -> list[list[str]]:
    content = file(result).content.decode("utf-8")
    return list(csv.reader(StringIO(content, newline="")))


def test_a_list_of_objects_becomes_a_table_with_a_header():
    found = file('[{"column":"age","mean":38.50,"ok":true},{"column":"é","mean":null,"ok":false}]')

    assert found.name == "csv_summary.csv"
    assert found.content == "column,mean,ok\r\nage,38.50,true\r\né,,false\r\n".encode()


def test_a_list_of_values_becomes_a_column():
    assert rows([1, "x", None, 2.5]) == [["value"], ["1"], ["x"], [""], ["2.5"]]


def test_objects_with_other_keys_share_one_table():
    assert rows([{"a": 1}, {"b": 2, "a": 3}]) == [["a", "b"], ["1", ""], ["3", "2"]]


def test_commas_quotes_and_line_ends_stay_inside_their_cells():
    assert rows(['a,"b"\r\nc', "d"]) == [["value"], ['a,"b"\r\nc'], ["d"]]


def test_every_digit_is_kept():
    assert rows(f"[{'9' * 5000},1.10,-1e400]") == [["value"], ["9" * 5000], ["1.10"], ["-1e400"]]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://127.0.0.1/","x")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\ufeff=1",
        "\u00a0=1",
        "＝1",
        "-",
        "--1",
        "-1e",
        "-1-1",
        "-1\n",
    ],
)
def test_a_cell_that_would_be_run_as_a_formula_is_marked_as_text(cell):
    assert rows([cell]) == [["value"], [f"'{cell}"]]
    assert rows([{cell: cell}]) == [[f"'{cell}"], [f"'{cell}"]]


@pytest.mark.parametrize("cell", ["-1", "-1.5", "-1e+10", "a=b", "1-2", "'=1", "x@y"])
def test_numbers_and_harmless_texts_stay_as_they_are(cell):
    assert rows([cell])[1] == [cell]


def test_what_is_no_character_to_be_seen_is_replaced():
    assert rows(["a\0b\x1b[31m\x9f", "\ud800"]) == [["value"], ["a�b�[31m�"], ["�"]]


@pytest.mark.parametrize(
    "result",
    [
        "",
        "null",
        "7",
        '"text"',
        "{}",
        '{"a":1}',
        "[]",
        "[{}]",
        "[[1]]",
        '[{"a":[1]}]',
        '[{"a":{"b":1}}]',
        '[1,{"a":2}]',
        "not json",
        "[" * 100_000,
        "[NaN",
    ],
)
def test_what_is_no_table_is_not_attached(result):
    assert file(result) is None


@pytest.mark.parametrize("kind", [None, "", "pdf"])
def test_only_operations_that_declare_it_have_an_attachment(kind):
    record = {**RECORD, "attachment": kind} if kind is not None else {"operation": "sum", "result": "[1]"}

    assert attachment(record) is None
    assert attachment({}) is None


def test_a_large_result_is_not_attached():
    assert len(file(["x" * (MAX_BYTES - 1000)]).content) > MAX_BYTES - 1000
    assert file(["x" * MAX_BYTES]) is None
    assert file(["\x01" * (MAX_BYTES // 7)]) is not None
    assert file('["' + "é" * (MAX_BYTES - 100) + '"]') is None


def test_a_table_far_larger_than_its_result_is_not_even_begun():
    started = process_time()

    assert file([{f"key{n}": 1} for n in range(50_000)]) is None
    assert file([1] * (MAX_CELLS + 1)) is None

    assert process_time() - started < 1


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("csv_summary", "csv_summary.csv"),
        ("../../etc/passwd", "etc_passwd.csv"),
        ('a"; x="b\r\nBcc: c', "a_x_b_Bcc_c.csv"),
        ("größe", "gr_e.csv"),
        ("", "result.csv"),
        ("..", "result.csv"),
        ("x" * 500, "x" * 79 + ".csv"),
    ],
)
def test_the_name_of_the_file_is_plain_whatever_the_operation_is_called(operation, name):
    assert file([1], operation=operation).name == name
