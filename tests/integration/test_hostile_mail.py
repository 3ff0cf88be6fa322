"""Hostile texts of clients go through every letter to a real mail server, and are read there as a mail program reads:
nothing executes, attaches, fetches, breaks or leaves its place.
"""

import csv
import json
import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from errand.errors import MailRefused
from errand.job_error import JobError
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.support import hostile
from tests.support.hostile import VICTIM, as_json
from tests.support.letters import compose, send_letter
from tests.support.notifications import due
from tests.support.reading import files_of, look_through, page_of
from tests.support.smtp import Caught, SmtpSink
from tests.support.web import WebServer
from workers.mail.sending.mailer import Mailer

HOME = "https://errand.test"
SENDER = "errand@mail.test"
TO = "name@email.com"
SINCE = 1_795_241_594_123
NAMES = sorted(hostile.texts("", ""))
SECRET = "TOPSECRET"
LINKS = SignedLinks(b"0123456789abcdef0123456789abcdef", HOME)


class Post:
    """A mail server, a mailer that sends to it, and a web server and a file that no mail may touch."""

    def __init__(self, sink: SmtpSink, trap: WebServer, folder: Path) -> None:
        self.sink, self.trap = sink, trap
        self.file = folder / "secret.txt"
        self.file.write_text(SECRET)
        self.settings = Settings(_env_file=None, mail_from=f"Errand <{SENDER}>", public_url=HOME)
        self.mailer = Mailer(sink.url, timeout=10)
        self.texts = hostile.texts(trap.url(), str(self.file))

    def send(self, kind: NoticeKind, to: str = TO, **record: str) -> Caught:
        """Write and send a letter; return what the server got."""
        job_id, before = str(uuid.uuid4()), len(self.sink.messages)
        notice = due(kind, job_id, record, since=SINCE, to=to)
        send_letter(self.mailer, compose(notice, self.settings, LINKS))
        assert len(self.sink.messages) == before + 1, "one letter is one mail"
        mail = self.sink.messages[-1]
        assert str(mail.message["Message-ID"]) == f"<{job_id}.{kind.value}@mail.test>"
        return mail

    def read(self, mail: Caught, to: str = TO) -> None:
        """Check that a mail contains nothing unintended."""
        assert look_through(mail, to, SENDER, HOME) == []
        assert SECRET.encode() not in mail.content
        assert not any(SECRET.encode() in file for file in files_of(mail).values())
        assert self.trap.connections == 0, "something was fetched"


@pytest.fixture(scope="module")
def post(tmp_path_factory) -> Iterator[Post]:
    with SmtpSink() as sink, WebServer() as trap:
        post = Post(sink, trap, tmp_path_factory.mktemp("secrets"))
        yield post
        post.mailer.close()


def kinds_of(mail: Caught) -> list[str]:
    return [part.get_content_type() for part in mail.message.walk()]


PLAIN = ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_client_writes_stays_in_its_place_in_each_mail_about_a_job(post, name):
    text = post.texts[name]
    asked = {"operation": text, "arguments": as_json({text: text, "list": [text, {text: [text]}]}), "notify": text}
    error = as_json({"type": text, "message": text})

    for kind, record in [
        (NoticeKind.RECEIPT, asked),
        (NoticeKind.FAILURE, asked | {"error": error, "attempt": "2"}),
        (NoticeKind.CANCELLED, asked | {"error": error}),
    ]:
        mail = post.send(kind, **record)

        post.read(mail)
        assert kinds_of(mail) == PLAIN, "nothing is attached to it"


@pytest.mark.parametrize("name", NAMES)
def test_a_result_stays_in_its_place_whatever_its_shape(post, name):
    text = post.texts[name]
    for shape, result in hostile.results(text).items():
        mail = post.send(NoticeKind.RESULT, operation=text, arguments="{}", result=as_json(result))

        post.read(mail)
        for kind, content in files_of(mail).items():
            assert shape != "text" or len(text) > 10_000, "a text that is shown whole is not attached"
            assert_is_the_result(kind, content, result)
        if shape == "picture":
            assert files_of(mail)["image/png"] == hostile.png(2, 2)


def assert_is_the_result(kind: str, content: bytes, result: object) -> None:
    """Check that a file contains exactly the result, and nothing that a spreadsheet would run."""
    if kind == "application/json":
        assert json.loads(content) == json.loads(as_json(result))
    if kind == "text/csv":
        csv.field_size_limit(10_000_000)
        rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
        assert len(rows) == 1 + len(result)
        assert not [cell for row in rows for cell in row if cell.strip("\ufeff \t\r\n\u00a0")[:1] in {*"=+@"}]


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_of_its_own_says_what_its_author_wrote_and_does_nothing(post, name):
    text = post.texts[name]

    mail = post.send(NoticeKind.LETTER, subject=text, body=text)

    post.read(mail)
    is_long = len(text) > 20_000  # then the HTML part shows its beginning, and a file has all of it
    assert kinds_of(mail) == (["multipart/mixed", *PLAIN, "text/plain"] if is_long else PLAIN)


@pytest.mark.parametrize(
    "name", ["script", "an event", "a template", "entities", "emoji", "a file", "a file's address"]
)
def test_readers_see_what_clients_wrote_unchanged(post, name):
    text = post.texts[name]
    shown = [
        post.send(NoticeKind.RESULT, operation="echo", arguments="{}", result=as_json(text)),
        post.send(NoticeKind.FAILURE, operation="echo", error=JobError("ValueError", text, public=True).written()),
        post.send(NoticeKind.LETTER, subject="hello", body=text),
    ]

    for mail in shown:
        assert text in " ".join(mail.text.split()).replace("  ", " ")
        assert text in " ".join("".join(page_of(mail.html).seen).split())


@pytest.mark.parametrize("name", sorted(hostile.pictures("")))
def test_a_result_that_only_resembles_a_picture_is_never_shown_as_one(post, name):
    result = hostile.pictures(post.trap.url())[name]

    mail = post.send(NoticeKind.RESULT, operation="draw", arguments="{}", result=as_json(result))

    post.read(mail)
    assert not [kind for kind in kinds_of(mail) if kind.startswith("image/")]
    assert not page_of(mail.html).sources


@pytest.mark.parametrize("name", NAMES)
def test_the_description_of_a_picture_stays_text(post, name):
    result = {"media_type": "image/png", "data": hostile.pictures("")["another picture than it says"]["data"]}

    mail = post.send(NoticeKind.RESULT, operation="draw", result=as_json(result | {"alt": post.texts[name][:900]}))

    post.read(mail)
    assert list(files_of(mail).values()) == [hostile.png(2, 2)]
    assert len(page_of(mail.html).sources) == 1


RESULTS = {
    "a deep one": "[" * 100_000 + "]" * 100_000,
    "a wide one": as_json([{f"column {n}": n for n in range(3000)}]),
    "a long one": as_json([{"n": n, "square": n * n} for n in range(100_000)]),
    "a huge text": as_json("<script>\n" * 500_000),
    "a huge number": "9" * 1_000_000,
    "a number beyond all": "1e400",
    "no JSON": "nan(0x8000000000000)",
    "half of it": '{"a": "b',
    "nothing": "",
}


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_result_of_any_size_makes_a_mail_of_reasonable_size(post, name):
    mail = post.send(NoticeKind.RESULT, operation="echo", arguments="{}", result=RESULTS[name])

    post.read(mail)
    assert len(mail.text) < 40_000
    assert len(mail.html) < 200_000
    assert len(mail.content) < 4_000_000
    assert all(len(content) <= post.settings.mail_attachment_bytes for content in files_of(mail).values())


OPERATORS = {
    "receipt.subject.txt": "{{ operation }}",
    "result.subject.txt": "{{ text or operation }} {{ operation }}",
    "failure.subject.txt": "{{ error }}: {{ message }}",
    "cancelled.subject.txt": "{{ message }}",
    "letter.subject.txt": "{{ body }}",
}
"""Templates of an operator who doesn't think of such clients."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("templates")
    for file, template in OPERATORS.items():
        (folder / file).write_text(template)
    return str(folder)


@pytest.mark.parametrize("name", NAMES)
def test_text_that_an_operators_templates_put_into_subjects_stays_there(post, templates, monkeypatch, name):
    monkeypatch.setattr(post, "settings", post.settings.model_copy(update={"mail_templates": templates}))
    text = post.texts[name]
    error = as_json({"type": text, "message": text})
    record = {"operation": text, "arguments": as_json({text: text}), "result": as_json(text), "error": error}

    for kind in NoticeKind:
        mail = post.send(kind, **record, subject=text, body=text)

        post.read(mail)


ADDRESSES = [
    "name@xn--bcher-kva.example",
    "name@xn--80akhbyknj4f.xn--p1ai",
    "o'brien+tag@email.com",
    "!#$%&'*+/?=^_`{|}~-@email.com",
    "a@localhost",
    f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.test",
]


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("address", ADDRESSES)
def test_odd_addresses_are_mailed_to_unchanged(post, kind, address):
    mail = post.send(kind, to=address, operation="sum", subject="hello", body="hello")

    post.read(mail, to=address)


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?=0A=20b?=@email.com",
        "a=?utf-8?q?=0A=20b@email.com",
        f"{TO}\r\nBcc: {VICTIM}",
        f"{TO}\n",
        f"{TO}\r",
        f"{TO}>\r\nRCPT TO:<{VICTIM}",
        f"{TO},{VICTIM}",
        f"{TO} {VICTIM}",
        f"Name <{TO}>",
        f'"{TO}"@email.com',
        "name@bücher.example",  # as one writes it; the API stores it as DNS has it
        "name@[127.0.0.1]",
        "/etc/passwd",
        "-oQ/tmp/x@email.com -X/tmp/y",
        "a\0b@email.com",
        "a\u202eb@email.com",
        "",
    ],
)
@pytest.mark.parametrize("kind", NoticeKind)
def test_an_address_that_is_not_one_plain_address_is_mailed_to_nobody(post, kind, address):
    asked = len(post.sink.commands), len(post.sink.messages)

    with pytest.raises(MailRefused):
        post.send(kind, to=address, operation="sum", subject="hello", body="hello")

    assert (len(post.sink.commands), len(post.sink.messages)) == asked
