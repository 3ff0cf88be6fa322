"""yagmail connects and logs in, and none of its traps catches us: a test for each trap of release 0.16.0, which is
pinned.
"""

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from types import SimpleNamespace

import pytest

from errand.errors import MailDeferred, MailRefused, MailServerAway, SettingsRefused
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.conftest import missing
from tests.rules.tree import ROOT, imports, name, sources, syntax
from tests.support.letters import compose, send_letter
from tests.support.notifications import due
from tests.support.processes import ROOT as HERE
from tests.support.smtp import DROP, HAS_OPENSSL, Certificate, SmtpSink
from tests.support.web import WebServer
from workers.mail.sending.mailer import Mailer
from workers.mail.service import Mail
from workers.mail.writing.letter import Letter
from workers.mail.writing.mail_from import read_mail_from

SENDER = "Errand <errand@errand.test>"
LETTER = Letter(read_mail_from(SENDER), "name@email.com", "hello", "hello\n", "<p>hello</p>\n", "<1@errand.test>")


@pytest.fixture
def mailer(smtp_sink: SmtpSink) -> Iterator[Mailer]:
    mailer = Mailer(smtp_sink.url, timeout=5)
    yield mailer
    mailer.close()


# the interpreter itself reports what is opened and connected to; templates are read before that is recorded
AUDITED = """
import json, sys
from errand.trust.links import SignedLinks
from errand.settings import Settings
from tests.support.notifications import due
from schemas.notifications import NoticeKind
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.letter import lay_out
from workers.mail.writing.mime import write_mime
from workers.mail.writing.template_set import TemplateSet
from workers.mail.writing.words import write_words

url, *texts = json.loads(sys.argv[1])
settings = Settings(_env_file=None, mail_from="Errand <errand@errand.test>")
links = SignedLinks(b"0123456789abcdef0123456789abcdef", settings.base_url)
templates = TemplateSet()
mailer = Mailer(url, timeout=5)

def send(number, kind, text):
    told = json.dumps({"type": text, "message": text})
    record = {"operation": text, "arguments": json.dumps({text: text}), "result": json.dumps(text), "error": told}
    record |= {"subject": text, "body": text}
    job_id = f"0192f3a4-1111-7222-8333-{number:012d}"
    letter = lay_out(write_words(due(kind, job_id, record), settings, links), templates)
    mailer.send(write_mime(letter))

for kind in NoticeKind:
    send(0, kind, "warm")
mailer.close()
done = []
WATCHED = ("open", "os.", "socket.", "subprocess.", "shutil.", "urllib.", "ctypes.", "glob.", "tempfile.")
sys.addaudithook(lambda event, args: event.startswith(WATCHED) and done.append([event, repr(args)]))
for number, text in enumerate(texts, 1):
    for kind in NoticeKind:
        send(number, kind, text)
mailer.close()
print(json.dumps([done, sorted(sys.modules)]))
"""


def audited(url: str, *texts: str, **env: str) -> tuple[list[list[str]], set[str]]:
    """Mail these texts in every place of every letter; return what the process did meanwhile, and its modules."""
    command = [sys.executable, "-W", "ignore", "-c", AUDITED, json.dumps([url, *texts])]
    run = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    assert run.returncode == 0, run.stderr
    done, modules = json.loads(run.stdout)
    return done, set(modules)


def test_y1_no_file_is_opened_whatever_a_text_names(smtp_sink, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")

    done, _ = audited(
        smtp_sink.url, str(secret), "/etc/passwd", "/proc/self/environ", "~/.yagmail", f"file://{secret}", "."
    )

    opened = [each for each in done if not each[0].startswith("socket.")]
    assert opened == []
    assert not [
        mail for mail in smtp_sink.messages if b"TOPSECRET" in mail.content or list(mail.message.iter_attachments())
    ]


def test_y2_nothing_is_fetched_whatever_a_text_links_to(smtp_sink):
    with WebServer() as trap:
        links = [
            f'<link rel="stylesheet" href="{trap.url("/a.css")}">',
            f'<img src="{trap.url("/b.png")}">',
            trap.url("/c"),
        ]

        done, modules = audited(smtp_sink.url, *links)

        asked = [arguments for event, arguments in done if event in ("socket.connect", "socket.getaddrinfo")]
        assert asked
        assert all(str(smtp_sink.port) in arguments for arguments in asked)
        assert trap.connections == 0
    assert not modules & {"premailer", "cssutils", "lxml", "requests"}


def test_y3_markup_stays_text_in_the_html_part(mailer, smtp_sink):
    send_letter(mailer, letter(body='<b onclick="x">bold</b> & so on'))

    assert "&lt;b onclick=&#34;x&#34;&gt;bold&lt;/b&gt; &amp; so on" in smtp_sink.wait_for(1)[0].html


def test_y4_a_failure_is_raised_at_once_and_yagmail_keeps_nothing_to_send_later(mailer, smtp_sink, monkeypatch):
    monkeypatch.setattr("yagmail.sender.time.sleep", lambda _: pytest.fail("yagmail slept over it"))
    started = monotonic()
    for step, answer, error in [
        ("DATA", DROP, MailDeferred),
        ("MAIL", DROP, MailServerAway),
        ("RCPT", "550 5.1.1 not here", MailRefused),
        ("RCPT", "450 4.2.0 later", MailDeferred),
    ]:
        smtp_sink.answers = {step: answer}
        with pytest.raises(error):
            send_letter(mailer, LETTER)

    assert monotonic() - started < 3
    smtp_sink.behave()
    send_letter(mailer, replace(LETTER, message_id="<2@errand.test>"))
    assert [mail.message["Message-ID"] for mail in smtp_sink.messages] == ["<2@errand.test>"]


def test_y5_each_mail_has_an_id_of_its_own_and_keeps_it(mailer, smtp_sink):
    first, second = letter(body="one"), letter(body="two", number=2)
    for each in (first, second, letter(body="one")):
        send_letter(mailer, each)

    ids = [mail.message["Message-ID"] for mail in smtp_sink.messages]
    assert ids == [first.message_id, second.message_id, first.message_id]
    assert first.message_id != second.message_id
    assert "yagmail" not in "".join(ids)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_y6_a_certificate_is_verified_before_a_password_is_shown(tmp_path, implicit):
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    stranger = Certificate.make(tmp_path / "stranger")
    with SmtpSink(tls=stranger, implicit_tls=implicit, login=("user", "password")) as sink:
        with pytest.raises(MailServerAway, match="CERTIFICATE_VERIFY_FAILED"):
            send_letter(Mailer(sink.url, timeout=5), LETTER)

        assert sink.logins == []
        assert b"AUTH" not in sink.received


def test_y7_a_silent_server_is_given_up(smtp_sink):
    smtp_sink.hang_at = "CONNECT"
    started = monotonic()

    with pytest.raises(MailServerAway):
        send_letter(Mailer(smtp_sink.url, timeout=0.2), LETTER)

    assert monotonic() - started < 3
    assert Settings(_env_file=None).mail_timeout < 60, "also where nobody says so"


def test_y8_a_connection_is_kept_for_the_next_letter_and_closed_by_us(mailer, smtp_sink):
    for _ in range(5):
        send_letter(mailer, LETTER)
    mailer.close()

    smtp_sink.wait_until(lambda: "QUIT" in smtp_sink.commands)
    assert (smtp_sink.connections, len(smtp_sink.messages)) == (1, 5)


def test_y9_nobody_is_asked_for_a_password_and_no_file_for_a_user(smtp_sink, tmp_path, monkeypatch):
    (tmp_path / ".yagmail").write_text("somebody@email.com")
    monkeypatch.setenv("HOME", str(tmp_path))
    for prompt in (
        "getpass.getpass",
        "builtins.input",
        "yagmail.sender.handle_password",
        "yagmail.sender.find_user_home_path",
    ):
        monkeypatch.setattr(prompt, lambda *_: pytest.fail("it asked"))

    send_letter(Mailer(smtp_sink.url, timeout=5), LETTER)
    for url in ("smtp://user@mail.test", "smtps://user:@mail.test", "smtp://:password@mail.test"):
        with pytest.raises(SettingsRefused):
            Mailer(url)

    assert b"AUTH" not in smtp_sink.received
    assert [mail.sender for mail in smtp_sink.messages] == ["errand@errand.test"]


@pytest.mark.parametrize(
    "change",
    [
        {"to": "name@email.com\n"},
        {"to": "name@email.com\r\nBcc: victim@email.com"},
        {"to": ""},
        {"to": "a" * 300 + "@email.com"},
        {"to": '"name"@email.com'},
        {"subject": "hello\r\nBcc: victim@email.com"},
        {"subject": "hello\n"},
        {"message_id": "<1@errand.test>\nBcc: victim@email.com"},
        {"in_reply_to": "<1@errand.test>\r\n\r\nbody"},
        {"unsubscribe": "https://errand.test/x>\r\nBcc: victim@email.com"},
    ],
    ids=str,
)
def test_y10_no_header_and_no_address_has_a_second_line(mailer, smtp_sink, change):
    with pytest.raises(MailRefused):
        send_letter(mailer, replace(LETTER, **change))

    assert smtp_sink.connections == 0


def test_y10_a_line_hidden_in_an_encoded_word_stays_hidden(mailer, smtp_sink):
    subject = "=?utf-8?q?hello=0D=0ABcc:_victim@email.com=0D=0A=0D=0Abody?="

    send_letter(mailer, replace(LETTER, subject=subject))

    [mail] = smtp_sink.wait_for(1)
    assert (mail.message["Subject"], mail.message["Bcc"], mail.text) == (subject, None, "hello\n")


@pytest.mark.parametrize("to", [b"name@email.com", 1, None, ["name@email.com"], {"name@email.com": "Name"}], ids=repr)
def test_y11_an_address_that_is_no_text_is_refused_with_a_sentence(to):
    mail = SimpleNamespace(store=SimpleNamespace(settings=Settings(_env_file=None)))

    with pytest.raises(MailRefused, match="must be one e-mail address"):
        Mail.send(mail, to, "subject", "contents")


def test_y12_everything_waits_on_the_hub_because_patching_comes_before_all_imports():
    lines = [ast.unparse(node) for node in syntax(ROOT / "workers" / "__main__.py").body]

    assert lines[1:5] == [
        "from errand.process import logs",
        "logs.silence_known_warnings()",
        "from workers import green",
        "green.monkey_patch()",
    ]
    light = "import sys, errand.process.logs; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True, cwd=HERE).stdout
    assert not {"smtplib", "yagmail", "redis", "nameko"} & set(loaded.split())


def test_y13_the_log_is_ours_and_names_no_recipient(mailer, smtp_sink, caplog, capsys):
    before, level = list(logging.getLogger().handlers), logging.getLogger().level
    caplog.set_level(logging.DEBUG)

    send_letter(mailer, LETTER)

    theirs = logging.getLogger("yagmail.log")
    assert [type(handler) for handler in theirs.handlers] == [logging.NullHandler]
    assert not [record for record in caplog.records if record.name == theirs.name]
    assert (list(logging.getLogger().handlers), capsys.readouterr()) == (before, ("", ""))
    assert level == logging.getLogger().level or level == logging.WARNING


# ---- nothing else uses yagmail


def test_yagmail_is_in_one_file_and_only_connects_there():
    users = [name(path) for path in sources() if "yagmail" in imports(path)]
    assert users == ["workers/mail/sending/mailer.py"]

    tree = syntax(ROOT / "workers" / "mail" / "sending" / "mailer.py")
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    of_the_module = {node.attr for node in attributes if ast.unparse(node.value) == "yagmail"}
    of_the_client = {node.attr for node in attributes if ast.unparse(node.value) in ("self._connection", "connection")}
    assert of_the_module == {"SMTP"}
    assert of_the_client == {"smtp", "login", "set_logging", "is_closed"}


def letter(body: str, number: int = 1) -> Letter:
    """Write a letter of its own."""
    settings = Settings(_env_file=None, mail_from=SENDER)
    job_id = f"0192f3a4-1111-7222-8333-{number:012d}"
    notice = due(NoticeKind.LETTER, job_id, {"subject": "hello", "body": body})
    return compose(notice, settings, SignedLinks(b"0123456789abcdef0123456789abcdef", settings.base_url))
