"""The operations that come with Errand, each through the whole of it: posted, run where it belongs, told by mail."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from errand.process.waiting import until
from schemas.pictures import Picture
from tests.support.ports import free_port
from tests.support.smtp import SmtpSink
from tests.support.stack import Stack, running

PEOPLE = "name;age\nAda;36\n=1+1;41\n"


@pytest.fixture
def stack(env: dict[str, str], valkey, tmp_path: Path) -> Iterator[Stack]:
    """An Errand on the embedded broker, whose operator has opened this machine to `fetch` in a .env file."""
    (tmp_path / ".env").write_text("GUARD_ALLOW=127.0.0.0/8\n")
    with running(tmp_path, {**env, "AMQP_URI": valkey.fresh_url()}) as stack:
        until(lambda: stack.get("/operations/fetch").status_code == 200, 20, "the catalogue")
        yield stack


def run(stack: Stack, operation: str, arguments: dict[str, object], **fields: object) -> dict:
    answer = stack.post(f"/operations/{operation}", {"arguments": arguments, **fields})
    assert answer.status_code == 202, answer.text
    return stack.finished(answer.json()["id"])


def test_a_csv_summary_is_mailed_with_its_table_as_a_file(stack: Stack, smtp_sink: SmtpSink) -> None:
    job = run(stack, "csv_summary", {"text": PEOPLE}, email="name@email.com")

    assert [(column["column"], column["type"]) for column in job["result"]] == [("name", "text"), ("age", "integer")]
    receipt, result = sorted(smtp_sink.wait_for(2), key=lambda mail: len(mail.content))
    assert not list(receipt.message.iter_attachments())
    [file] = result.message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("text/csv", "csv_summary.csv")
    rows = list(csv.DictReader(StringIO(file.get_payload(decode=True).decode("utf-8-sig"), newline="")))
    assert [(row["column"], row["minimum"], row["mean"]) for row in rows] == [
        ("name", "'=1+1", ""),
        ("age", "36", "38.5"),
    ]
    assert "This table is also in the attached file csv_summary.csv." in result.text


def test_a_histogram_is_mailed_as_a_picture_that_the_html_shows(stack: Stack, smtp_sink: SmtpSink) -> None:
    job = run(stack, "histogram", {"numbers": [1, 2, 2, 3], "title": "Few"}, email="name@email.com")

    picture = Picture.model_validate(job["result"])
    _, result = sorted(smtp_sink.wait_for(2), key=lambda mail: len(mail.content))
    [file] = result.message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("image/png", "histogram.png")
    assert file.get_payload(decode=True) == picture.content
    [shown] = [part for part in result.message.walk() if part["Content-ID"]]
    assert f'<img src="cid:{shown["Content-ID"][1:-1]}" alt="Few. ' in result.html
    assert shown.get_payload(decode=True) == picture.content
    assert "The result is a picture: Few. Numbers: 4, from 1 to 3." in " ".join(result.text.split())


def test_primes_and_statistics_are_computed_in_child_processes(stack: Stack) -> None:
    assert run(stack, "primes", {"n": 10**7})["result"] == 664_579
    assert run(stack, "statistics", {"numbers": [1, 2, 3.5]})["result"]["median"] == 2


def test_a_page_is_fetched_from_where_the_operator_allows_it(stack: Stack) -> None:
    job = run(stack, "fetch", {"url": f"{stack.url}/healthz"})

    assert job["error"] is None
    assert job["result"]["status"] == 200
    assert job["result"]["content_type"] == "application/json"


def test_an_address_of_a_cloud_is_refused_once_and_for_all(stack: Stack) -> None:
    job = run(stack, "fetch", {"url": "http://169.254.169.254/latest/meta-data/"})

    assert (job["status"], job["error"]["type"], job["attempt"]) == ("failed", "AddressRefused", 1)


def test_a_server_that_is_away_is_asked_again(stack: Stack) -> None:
    job = run(stack, "fetch", {"url": f"http://127.0.0.1:{free_port()}/"}, max_attempts=2)

    assert (job["status"], job["error"]["type"], job["attempt"]) == ("failed", "ConnectionError", 2)
