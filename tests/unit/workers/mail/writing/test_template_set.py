"""Templates: an operator's come before the package's, are tested at the start, and never stop a mail."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from errand.errors import SettingsRefused
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.support.letters import compose
from tests.support.processes import ROOT
from workers.mail.service import Mail
from workers.mail.writing.letter import Letter
from workers.mail.writing.sample_notices import check_templates, sample, samples
from workers.mail.writing.template_set import OWN, TemplateSet
from workers.mail.writing.words import write_words

PACKAGE = Settings(_env_file=None)
LINKS = SignedLinks(bytes(32), "https://errand.test")
RESULT = sample(NoticeKind.RESULT, result="40")
GUIDE = (ROOT / "docs" / "mail.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operator's folder, one for each test, as templates are read once."""
    return tmp_path


def settings(folder: Path) -> Settings:
    return Settings(_env_file=None, mail_templates=str(folder))


def letter(folder: Path, notice=RESULT) -> Letter:
    return compose(notice, settings(folder), LINKS)


def test_every_template_of_the_package_writes_every_kind_of_letter():
    check_templates(PACKAGE)


def test_every_kind_has_a_subject_a_text_and_html():
    files = {path.name for path in OWN.iterdir()}

    assert files >= {f"{kind}.{part}" for kind in NoticeKind for part in ("subject.txt", "txt", "html")}


def test_an_operators_file_replaces_the_packages_and_the_others_stay(folder):
    (folder / "result.subject.txt").write_text("Fertig: {{ text }}\n")
    (folder / "result.txt").write_text("Das Ergebnis ist {{ text }}.\n{{ link }}\n")

    check_templates(settings(folder))

    mail = letter(folder)
    assert mail.subject == "Fertig: 40"
    assert mail.text.startswith("Das Ergebnis ist 40.\nhttps://errand.test/view/")
    assert "Your operation is complete!" in mail.html
    assert "<title>Fertig: 40</title>" in mail.html
    assert letter(folder, sample(NoticeKind.RECEIPT)) == compose(sample(NoticeKind.RECEIPT), PACKAGE, LINKS)


def test_an_operator_can_change_one_block_of_a_template(folder):
    (folder / "result.html").write_text('{% extends "errand/result.html" %}{% block button %}Ansehen{% endblock %}')

    check_templates(settings(folder))

    assert letter(folder).html == compose(RESULT, PACKAGE, LINKS).html.replace(">See the job<", ">Ansehen<")


def test_the_template_that_all_mails_share_is_changed_once(folder):
    (folder / "base.html").write_text("<html><body>ACME{% block content %}{% endblock %}</body></html>")

    for kind in (NoticeKind.RECEIPT, NoticeKind.FAILURE):
        assert letter(folder, sample(kind)).html.startswith("<html><body>ACME")


def test_markup_stays_text_in_an_operators_templates_too(folder):
    (folder / "result.html").write_text("<p>{{ text }}</p>")

    assert letter(folder, sample(NoticeKind.RESULT, result='"<script>"')).html == "<p>&lt;script&gt;</p>"


def test_a_subject_stays_one_line(folder):
    (folder / "result.subject.txt").write_text("{{ text }}")

    mail = letter(folder, sample(NoticeKind.RESULT, result='"a\\r\\nBcc: b@c.test\\u202e"'))

    assert mail.subject == "a Bcc: b@c.test"


def test_the_documented_example_works(folder):
    subject, html = re.findall(r"```jinja\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "result.subject.txt").write_text(subject)
    (folder / "result.html").write_text(html)

    check_templates(settings(folder))

    mail = letter(folder)
    assert mail.subject == "Ihr Auftrag ist fertig"
    assert ">Ergebnis ansehen</a>" in mail.html
    assert "Der Link gilt bis 22.11.2026 06:13 (UTC)." in mail.html
    assert ">40</div>" in mail.html


def test_the_documentation_lists_the_variables_of_templates():
    rows = re.findall(r"^\| (`[^|]*) \| ([^|]*) \| [^|]+ \|$", GUIDE.partition("| variable | in |")[2], re.MULTILINE)
    listed = {kind: set[str]() for kind in NoticeKind}
    for words, kinds in rows:
        for kind in NoticeKind:
            everywhere = kinds == "all" or (kinds.startswith("all but") and kind not in kinds)
            if everywhere or (not kinds.startswith("all") and kind in kinds):
                listed[kind] |= set(re.findall(r"`(\w+)`", words))

    for notice in samples():
        given = {*write_words(notice, PACKAGE, LINKS).variables, "subject"}
        assert listed[notice.kind] == given


# ---- tried at the start


@pytest.mark.parametrize(
    ("name", "template", "words"),
    [
        ("result.txt", "one\ntwo {{ resutl }}\n", r"result\.txt, line 2: 'resutl' is undefined"),
        ("result.html", "<p>\n\n{% if %}", r"result\.html, line 3: Expected an expression"),
        ("failure.txt", "{% block x %}", r"failure\.txt, line 1: Unexpected end of template"),
        ("cancelled.html", "{{ message | shout }}", r"cancelled\.html, line 1: No filter named 'shout'"),
        ("receipt.html", '\n{% extends "bsae.html" %}', r"receipt.*no file.*bsae\.html"),
        ("receipt.txt", "{{ until.strftime(3) }}", r"receipt\.txt, line 1: TypeError: "),
        ("failure.txt", "{{ 'ok' if not attempts else 1 // 0 }}", r"failure\.txt, line 1: ZeroDivisionError: "),
        ("result.txt", "{{ layout.text }}", r"result\.txt, line 1: .*has no attribute 'text'"),
        ("letter.txt", "{% include 'footer.txt' %}", r"letter.*no file.*footer\.txt"),
        (
            "parts.html",
            "{% macro value(text) %}{% endmacro %}",
            r"base\.html, line \d+: .*parts\.html.* the requested name 'badge'",
        ),
        ("base.html", b"\xff\xfe", r"base\.html can't be read as UTF-8 text"),
        ("receipt.subject.txt", "{% if false %}x{% endif %}\n", r"receipt\.subject\.txt writes nothing"),
        ("cancelled.txt", "", r"cancelled\.txt writes nothing"),
    ],
)
def test_a_template_that_fails_is_refused_at_the_start_with_file_line_and_reason(folder, name, template, words):
    (folder / name).write_bytes(template.encode() if isinstance(template, str) else template)

    with pytest.raises(SettingsRefused, match=f"^MAIL_TEMPLATES: .*{words}"):
        Mail.check(settings(folder))


def test_a_mail_service_whose_templates_fail_does_not_start(folder):
    (folder / "result.txt").write_text("{{ resutl }}")
    environment = {**os.environ, "MAIL_TEMPLATES": str(folder)}

    command = [sys.executable, "-m", "workers", "mail"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == 2
    assert "MAIL_TEMPLATES: result.txt, line 1: 'resutl' is undefined" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_that_is_not_there_is_refused_at_the_start(folder):
    with pytest.raises(SettingsRefused, match=r"MAIL_TEMPLATES: .*nowhere is not a folder"):
        Mail.check(settings(folder / "nowhere"))


def test_a_file_with_a_misspelt_name_is_logged_at_the_start(folder, caplog):
    (folder / "resutl.html").write_text("")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    (folder / "letter.html").write_text("{% include 'footer.html' %}")
    (folder / "footer.html").write_text("Yours")

    check_templates(settings(folder))

    [line] = [record for record in caplog.records if record.action == "mail_template_unused"]
    assert "resutl.html" in line.getMessage()
    assert TemplateSet(str(folder)).unused() == ["resutl.html"]


# ---- on a record that nobody thought of


def test_if_a_template_fails_on_a_job_the_packages_own_is_used_and_the_fault_is_logged(folder, caplog):
    (folder / "result.subject.txt").write_text("Fertig")
    (folder / "result.txt").write_text("Hello.\n{{ 1 // (text | length - 4) if text else '' }}")
    check_templates(settings(folder))
    odd = sample(NoticeKind.RESULT, result='"four"')

    assert letter(folder).subject == "Fertig"
    assert letter(folder, odd) == compose(odd, PACKAGE, LINKS)

    [line] = [record for record in caplog.records if record.action == "mail_template_failed"]
    assert line.job_id == odd.id
    assert "result.txt, line 2: ZeroDivisionError" in line.getMessage()
