"""Attachments: a result as a CSV table that no spreadsheet runs, as JSON, or as a picture."""

import csv
import json
from io import StringIO
from time import process_time

import pytest

from errand.presenting.result_shape import MAX_VALUES
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from schemas.pictures import Picture
from tests.support.hostile import png
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.result_words import MAX_SHOWN
from workers.mail.writing.sample_notices import sample
from workers.mail.writing.words import write_words

LINKS = SignedLinks(bytes(32), "https://errand.test")
PICTURE = Picture.of(png(2, 2), "Four dots")


def files(result, *, bare: bool = False, most: int = 100_000, operation: str = "csv_summary") -> tuple[Attachment, ...]:
    settings = Settings(_env_file=None, mail_attachment_bytes=most)
    document = result if isinstance(result, str) else json.dumps(result)
    notice = sample(NoticeKind.RESULT, operation=operation, result=document)
    words = write_words(notice, settings, LINKS)
    return (words.without_attachments() if bare else words).attachments


def file(result, **options) -> Attachment | None:
    return next(iter(files(result, **options)), None)


def rows(result) -> list[list[str]]:
    content = file(result).content.decode("utf-8-sig")
    return list(csv.reader(StringIO(content, newline="")))


def test_a_list_of_objects_becomes_a_table_with_a_header():
    found = file('[{"column":"age","mean":38.50,"ok":true},{"column":"é","mean":null,"ok":false}]')

    assert (found.name, found.media_type, found.inline) == ("csv_summary.csv", "text/csv", False)
    assert found.content == "\ufeffcolumn,mean,ok\r\nage,38.50,true\r\né,,false\r\n".encode()


def test_a_list_of_values_becomes_a_column():
    assert rows([1, "x", None, 2.5]) == [["value"], ["1"], ["x"], [""], ["2.5"]]


def test_objects_with_different_keys_share_one_table():
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


def test_characters_that_can_not_be_shown_are_replaced():
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
        "[NaN",
    ],
)
def test_a_result_that_is_no_table_and_is_shown_whole_is_not_attached(result):
    assert file(result) is None


@pytest.mark.parametrize(
    "result",
    [
        {"all": ["of", "it"] * 5_000},
        {"rows": [{"n": n} for n in range(51)]},
        "[" * (MAX_SHOWN + 1),
        "x" * (MAX_SHOWN + 1),
    ],
)
def test_a_result_that_the_mail_shows_in_part_is_attached_as_json(result):
    document = result if isinstance(result, str) else json.dumps(result)

    [found] = files(document)

    assert found == Attachment("csv_summary.json", "application/json", document.encode())


def test_a_picture_is_attached_and_shown():
    [found] = files(PICTURE.model_dump_json(), operation="histogram")

    assert found == Attachment("histogram.png", "image/png", PICTURE.content, inline=True)
    assert found.cid == files(PICTURE.model_dump_json(), operation="another")[0].cid != file([1]).cid


@pytest.mark.parametrize(
    "result", ['[{"a":"é"}]', json.dumps("x" * (MAX_SHOWN + 1)), PICTURE.model_dump_json()], ids=["csv", "json", "png"]
)
def test_a_file_has_as_many_bytes_as_the_settings_allow_and_no_more(result):
    size = len(file(result).content)

    assert len(file(result, most=size).content) == size
    assert files(result, most=size - 1) == files(result, most=0) == files(result, bare=True) == ()


def test_a_table_of_megabytes_keeps_its_file():
    rows = [{"name": f"person {n}", "age": n, "town": "a town", "born": None, "height": 1.5} for n in range(40_000)]

    found = file(rows, most=2_097_152)

    assert (found.media_type, found.content.count(b"\r\n")) == ("text/csv", 40_001)


def test_a_table_far_larger_than_its_result_is_not_made():
    started = process_time()

    assert file([{f"key{n}": 1} for n in range(50_000)], most=10_000_000).media_type == "application/json"
    assert file([1] * (MAX_VALUES + 1), most=10_000_000).media_type == "application/json"

    assert process_time() - started < 2


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
