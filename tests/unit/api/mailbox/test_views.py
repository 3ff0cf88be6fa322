"""The mailbox over HTTP: it exists only if MAILBOX names a folder, and no mail causes an error or runs anything."""

from contextlib import closing
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import create_app
from api.events import sse
from errand.process.waiting import until
from errand.settings import Settings
from tests.support.api import SilentRelay
from tests.support.mails import PIXEL, keep, letter, with_picture
from tests.support.sse import messages, told

HOSTILE = {
    "nothing": b"",
    "no mail": b"\0\xff\xfe" * 1000,
    "no end": b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html",
    "header": b"Subject: =?utf-8?b?a?=\nFrom: =?x?q?\x1b?= <\n@\nTo: \xff\nContent-Type: a; charset=\0; name*=x'y\n\nx",
    "charset": b"Content-Type: text/html; charset=utf-7\n\n+2AA-<p>",
    "name": b"Content-Disposition: attachment; filename*=utf-7''%2B2AA-%0d%0aSet-Cookie: a=b\nContent-Type: x/y\n\nx",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"mailbox": str(folder)})


def only(client) -> str:
    [mail] = client.get("/mailbox/mails").json["mails"]
    return f"/mailbox/mails/{mail['id']}"


@pytest.mark.parametrize("path", ["/mailbox", "/mailbox/mails", "/mailbox/events", "/mailbox/mails/0/html"])
def test_without_the_setting_there_is_no_mailbox_and_the_document_knows_none(settings, api_store, path):
    app = create_app(settings.model_copy(update={"mailbox": ""}), api_store, SilentRelay())

    answer = app.test_client().get(path)

    document = app.test_client().get("/apispec.json").json
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert not [path for path in document["paths"] if path.startswith("/mailbox")]
    assert "mailbox" not in [tag["name"] for tag in document["tags"]]


def test_with_it_the_document_is_valid_and_has_every_route_of_it(api, client):
    document = client.get("/apispec.json").json

    routes = {rule.rule for rule in api.url_map.iter_rules() if rule.endpoint.startswith("mailbox.")}
    assert len({path for path in document["paths"] if path.startswith("/mailbox")}) == len(routes) == 8
    assert "mailbox" in [tag["name"] for tag in document["tags"]]
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


def test_the_page_allows_nothing_but_its_own_files_and_frames(client):
    answer = client.get("/mailbox/")

    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "frame-src 'self'" in policy
    assert "<style" not in answer.text
    assert "<script>" not in answer.text
    assert " on" not in answer.text.replace(" one", "").replace(" on.", "")
    assert "//" not in answer.text


def test_a_mail_is_listed_and_described(client, folder):
    keep(folder, letter("older"), with_picture('<p>x</p><img src="cid:pixel@here">'))

    listed = client.get("/mailbox/mails").json
    mail = listed["mails"][0]

    assert [each["subject"] for each in listed["mails"]] == ["A picture", "older"]
    assert (listed["total"], listed["next"]) == (2, None)
    assert (mail["sender"], mail["to"]) == ("Errand <errand@localhost>", "name@email.com")
    assert (mail["attachments"], mail["arrived_at"][-1]) == (1, "Z")
    told = client.get(f"/mailbox/mails/{mail['id']}").json
    assert (told["html"], told["text"]) == (True, True)
    assert told["attachments"] == [{"number": 1, "name": "table.csv", "media_type": "text/csv", "size": 8}]


def test_a_picture_is_a_file_where_it_has_a_name_or_no_html_shows_it(client, folder):
    head = b"Content-Type: multipart/related; boundary=b\n\n--b\n"
    image = b"Content-Type: image/png\nContent-ID: <x>\n"
    keep(folder, head + image + b"\n" + PIXEL)
    named = b"Content-Disposition: inline; filename=a.png\n"
    keep(folder, head + b"Content-Type: text/html\n\n<p>\n--b\n" + image + named + b"\n" + PIXEL)

    named, alone = (
        client.get(f"/mailbox/mails/{mail['id']}").json for mail in client.get("/mailbox/mails").json["mails"]
    )

    assert [file["name"] for file in named["attachments"]] == ["a.png"]
    assert [file["name"] for file in alone["attachments"]] == ["attachment-1.png"]


def test_pages_of_mails_follow_each_other(client, folder):
    keep(folder, *(letter(f"{number}") for number in range(5)))
    seen, cursor = [], ""

    while cursor is not None:
        page = client.get(f"/mailbox/mails?limit=2{cursor and f'&cursor={cursor}'}").json
        seen += [mail["subject"] for mail in page["mails"]]
        cursor = page["next"]

    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=0", 400), ("limit=201", 400), ("cursor=../../x", 400), ("cursor=" + "0" * 20, 404), ("path=/etc", 400)],
)
def test_an_invalid_page_is_refused(client, query, status):
    assert client.get(f"/mailbox/mails?{query}").status_code == status


def test_html_is_shown_in_a_sandbox(client, folder):
    keep(folder, with_picture('<script>alert(1)</script><img src="cid:pixel@here">'))

    answer = client.get(f"{only(client)}/html")

    policy = dict(line.split(" ", 1) for line in answer.headers["Content-Security-Policy"].split("; "))
    assert answer.mimetype == "text/html"
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert (policy["img-src"], policy["style-src"]) == ("data:", "'unsafe-inline'")
    assert policy["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert policy.keys().isdisjoint({"script-src", "connect-src", "frame-src", "font-src"})
    assert answer.headers["X-DNS-Prefetch-Control"] == "off"
    assert 'src="data:image/png;base64,' in answer.text


def test_text_and_source_are_plain_text_as_they_came(client, folder):
    keep(folder, letter(text="<b>Grüße</b>\n", html="<p>x</p>"))
    path = only(client)

    text, source = client.get(f"{path}/text"), client.get(f"{path}/source")

    [file] = (folder / "new").iterdir()
    assert text.text == "<b>Grüße</b>\n"
    assert source.data == file.read_bytes()
    for answer in (text, source):
        assert answer.mimetype == "text/plain"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


def test_an_attachment_is_a_download_and_nothing_else(client, folder):
    mail = letter()
    mail.add_attachment(b"<script>alert(1)</script>", "text", "html", filename="../../Überraschung\u202elmth.html")
    keep(folder, mail)

    answer = client.get(f"{only(client)}/attachments/1")

    assert answer.data == b"<script>alert(1)</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Uberraschung lmth.html\"; filename*=UTF-8''%C3%9Cberraschung%20lmth.html"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_any_mail_is_parsed_without_an_error(client, folder, source):
    keep(folder, letter())
    [file] = (folder / "new").iterdir()
    file.write_bytes(source)
    path = only(client)

    told = client.get(path).json

    for part in ("html", "text"):
        assert client.get(f"{path}/{part}").status_code == (200 if told[part] else 404)
    for attachment in told["attachments"]:
        assert client.get(f"{path}/attachments/{attachment['number']}").status_code == 200
    assert client.get(f"{path}/source").data == source


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_missing_part_of_a_mail_is_not_found(client, folder, part):
    keep(folder, b"Content-Type: image/png\n\nx")

    assert client.get(f"{only(client)}/{part}").status_code == 404


@pytest.mark.parametrize("number", ["0", "2", "-1", "9" * 5000, "x"])
def test_a_missing_attachment_is_not_found(client, folder, number):
    keep(folder, with_picture("x").get_payload()[1].as_bytes())

    assert client.get(f"{only(client)}/attachments/{number}").status_code == 404


@pytest.mark.parametrize(
    "mail_id", ["0" * 20, "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c", "%00", "new", "%ff", "x" * 5000]
)
@pytest.mark.parametrize("part", ["", "/html", "/text", "/source", "/attachments/1"])
def test_no_id_leads_out_of_the_folder(client, folder, mail_id, part):
    keep(folder, letter())
    [file] = (folder / "new").iterdir()

    for asked in (mail_id, file.name):
        answer = client.get(f"/mailbox/mails/{asked}{part}")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_all_mails_can_be_deleted(client, folder):
    keep(folder, letter(), letter())

    assert client.delete("/mailbox/mails").status_code == 204

    assert client.get("/mailbox/mails").json == {"mails": [], "total": 0, "next": None}
    assert list((folder / "new").iterdir()) == []
    assert client.delete("/mailbox/mails").status_code == 204


def test_a_stream_sends_the_state_at_once_and_after_each_change(patient_client, folder):
    keep(folder, letter())
    answer = patient_client.get("/mailbox/events")

    with closing(answer):
        stream = told(answer.response)
        assert next(stream).data["total"] == 1
        keep(folder, letter())
        second = next(stream)
        patient_client.delete("/mailbox/mails")
        third = next(stream)

    assert answer.mimetype == "text/event-stream"
    assert (second.event, second.data["total"]) == ("mails", 2)
    assert third.data == {"total": 0, "newest": None}


def test_a_stream_sends_heartbeats_and_says_when_the_server_stops(api, patient_client, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.01)
    answer = patient_client.get("/mailbox/events")

    with closing(answer):
        stream = messages(answer.response)
        beat = until(lambda: next(stream).comments, 5, "a heartbeat")
        api.extensions["errand"].broadcaster.close()
        rest = [comment for message in stream for comment in message.comments]

    assert beat == ["still here"]
    assert rest[-1] == "the server stops"


@pytest.mark.parametrize(("method", "status"), [("GET", 503), ("HEAD", 200)])
def test_without_a_free_slot_nobody_watches(client, method, status):
    assert client.open("/mailbox/events", method=method).status_code == status
