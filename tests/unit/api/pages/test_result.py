"""`GET /view/{token}` and its files: any result is shown, can be downloaded, and is harmless."""

import json

import pytest

from errand.job_error import JobError
from tests.support import hostile
from tests.support.view import RUNNING, Page


@pytest.fixture
def path(view_path: str) -> str:
    return view_path


def test_rows_are_a_table_and_two_files(client, given, path):
    given(operation="csv_summary", result='[{"name":"=x","n":1.50},{"name":"<b>","n":-2},{"more":true}]')

    page = Page(client.get(path).text)

    assert page.tags.count("tr") == 4
    assert page.tags.count("th") == 3
    assert page.all("th", "scope") == ["col"] * 3
    assert "<b>" in page.text
    assert page.all("a", "href")[:2] == [f"{path}/csv", f"{path}/json"]
    csv = client.get(f"{path}/csv")
    assert csv.data == b"\xef\xbb\xbfname,n,more\r\n'=x,1.50,\r\n<b>,-2,\r\n,,true\r\n"
    assert csv.content_type == "text/csv; charset=utf-8"
    assert csv.headers["Content-Disposition"] == 'attachment; filename="csv_summary.csv"'


def test_the_members_of_a_small_object_are_rows_with_their_names(client, given, path):
    given(result='{"mean":1.50,"text":"a b"}')

    page = Page(client.get(path).text)

    assert page.all("th", "scope") == ["row"] * 2
    assert "mean 1.50 text a b" in page.text
    assert page.all("a", "href")[:1] == [f"{path}/json"]


@pytest.mark.parametrize(
    ("result", "classes"),
    [('{"mean":1,"maximum":2}', "members"), ('{"mean":1,"population_stdev":2}', "members long-names")],
)
def test_long_names_of_members_get_a_wider_column(client, given, path, result, classes):
    given(result=result)

    assert Page(client.get(path).text).all("table", "class") == [classes]


def test_a_picture_is_shown_with_its_description_and_can_be_downloaded(client, given, path):
    content = hostile.png(3, 2)
    given(result=json.dumps(hostile.results('a "<b>')["picture"]), operation="histogram")

    [(source, alt)] = [(a["src"], a["alt"]) for tag, a in Page(client.get(path).text).elements if tag == "img"]
    answer = client.get(source)

    assert (source, alt) == (f"{path}/picture", 'a "<b>')
    assert answer.content_type == "image/png"
    assert answer.data[:8] == content[:8]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="histogram.png"'


@pytest.mark.parametrize("name", hostile.pictures("http://127.0.0.1:9/"))
def test_what_only_looks_like_a_picture_is_no_file_that_a_browser_would_run(client, given, path, name):
    given(result=json.dumps(hostile.pictures("http://127.0.0.1:9/")[name]))

    answer = client.get(f"{path}/picture")

    assert answer.status_code == 404 or answer.content_type in {"image/png", "image/gif"}
    assert client.get(path).status_code == 200


def test_a_text_is_shown_and_downloaded_as_text(client, given, path):
    given(result=json.dumps("first line\n  second & <third> line\ud800"))

    page = client.get(path).text
    text = client.get(f"{path}/text")

    assert "first line\n  second &amp; &lt;third&gt; line\ufffd" in page
    assert text.text == "first line\n  second & <third> line\ufffd"
    assert text.content_type == "text/plain; charset=utf-8"
    assert text.headers["Content-Disposition"] == 'attachment; filename="sum.txt"'


def test_nested_results_are_laid_out_and_keep_every_digit(client, given, path):
    document = (
        '{"a":{"b":1.50,"c":[1,2,3],"none":null,"empty":[]},"rows":[{"x":1},{"x":2.0}],"n":12345678901234567890.0}'
    )
    given(result=document)

    page = Page(client.get(path).text)

    assert "a b 1.50 c 1, 2, 3 none none empty none rows x 1 2.0 n 12345678901234567890.0" in page.text
    assert page.all("th", "scope") == ["rowgroup", "row", "row", "row", "row", "rowgroup", "col", "row"]
    assert client.get(f"{path}/json").text == document


@pytest.mark.parametrize(
    "huge",
    [
        (json.dumps("x" * 3_000_000), "the first 20,000 of 3,000,000 characters", "text"),
        (json.dumps([[n] for n in range(200_000)]), "the first 20,000 of 1,888,890 characters of its JSON", "json"),
        (json.dumps([[n] for n in range(5_000)]), "100 of 5,000 items.", "json"),
        (json.dumps({f"m{n}": n for n in range(300)}), "100 more members: m200, m201", "json"),
        (json.dumps([{"a": n} for n in range(5_000)]), "200 of 5,000 rows.", "csv"),
        (json.dumps([{f"c{n}": n for n in range(50)}] * 300), "20 more columns: c30, c31", "csv"),
        (json.dumps([{"a": "x" * 5_000}]), "Long cells end after 300 characters.", "csv"),
    ],
    ids=["text", "json", "items", "members", "rows", "columns", "cells"],
)
def test_a_huge_result_is_shown_in_part_and_downloaded_whole(client, given, path, huge):
    document, told, kind = huge
    given(result=document)

    html = client.get(path).text
    page = Page(html)

    assert told in page.text
    assert len(html) < 300_000
    assert page.all("a", "href")[0] == f"{path}/{kind}"
    assert len(client.get(f"{path}/{kind}").data) > len(document) / 4


def test_a_file_is_downloaded_and_not_opened(client, given, path):
    given(result=json.dumps("<script>alert(1)</script>"))

    for kind in ("text", "json"):
        headers = client.get(f"{path}/{kind}").headers
        assert headers["Content-Disposition"].startswith("attachment; ")
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({}, "csv"), ({}, "picture"), ({}, "text"), ({}, "pdf"), (RUNNING, "json"), ({"status": "failed"}, "json")],
)
def test_a_missing_file_is_not_found(client, given, path, changes, kind):
    given(**changes)

    assert client.get(f"{path}/{kind}").status_code == 404


def test_a_file_with_an_odd_operation_has_a_plain_name(client, given, path):
    given(operation='a"; x=\r\nSet-Cookie: b')

    assert client.get(f"{path}/json").headers["Content-Disposition"] == 'attachment; filename="a_x_Set-Cookie_b.json"'


def test_text_from_clients_is_escaped(client, given, path):
    given()
    usual = set(Page(client.get(path).text).tags) | {"img", "a", "strong", "ol", "li"}
    usual |= {"table", "thead", "tbody", "tr", "th", "td"}

    for tried, text in hostile.texts("http://127.0.0.1:9/", "/etc/hostname").items():
        error = JobError(text, text, public=True).written()
        progress = hostile.as_json({"progress": 0.5, "message": text, "eta_seconds": 1})
        tries = [{"result": hostile.as_json(result)} for result in hostile.results(text).values()]
        tries += [{"status": "failed", "error": error}, {"arguments": hostile.as_json({text: text})}]
        tries += [RUNNING | {"progress": progress}, {"operation": text.encode(errors="replace").decode()}]
        for changes in tries:
            given(**changes)
            answer = client.get(path)
            page = Page(answer.text)
            assert answer.status_code == 200, tried
            assert set(page.tags) - {"script", "progress", "span"} <= usual, tried
            assert page.tags.count("script") == page.tags.count("progress"), tried
            addresses = [a[name] for _, a in page.elements for name in ("href", "src", "action") if name in a]
            assert all(address.startswith(("/static/", path)) for address in addresses), tried
            assert not [name for _, a in page.elements for name in a if name.startswith("on") or name == "style"], tried
