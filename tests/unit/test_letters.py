"""The letters: their words, and that nothing a client wrote gets out of its place in them."""

import html
import json
import re
from time import process_time

import pytest
from pydantic import TypeAdapter, ValidationError

from errand.errors import MailRefused
from errand.settings import Settings
from schemas.address import EMAIL_PATTERN, EmailAddress, is_address
from schemas.notices import NoticeKind
from workers.letters import MAX_SHOWN, MAX_SUBJECT, compose

SETTINGS = Settings(_env_file=None, mail_from="Errand <errand@mail.test>", public_url="https://errand.test/")
ID = "0192f3a4-1111-7222-8333-444455556666"
LINK = f"https://errand.test/jobs/{ID}"
RECORD = {
    "id": ID,
    "operation": "sum",
    "arguments": '{"value":30,"other":10}',
    "result": "40",
    "error": '{"type":"ZeroDivisionError","message":"division by zero"}',
    "email": "name@email.com",
    "attempt": "1",
    "status": "succeeded",
}
MAIL = {"id": ID, "to": "name@email.com", "subject": "testing", "body": "Just testing"}
OF_A_JOB = [NoticeKind.RECEIPT, NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED]
BIDI = "\u202e\u2066\u200f"


def letter(kind: NoticeKind, **changes: str):
    return compose(kind, (MAIL if kind is NoticeKind.LETTER else RECORD) | changes, SETTINGS)


def seen(markup: str) -> str:
    """What a reader sees of the HTML part."""
    body = markup.partition("<body>")[2].replace("<br>", "\n")
    return html.unescape(re.sub(r"<[^>]*>", "", body))


# ---- the words


def test_the_receipt_asks_to_wait():
    receipt = letter(NoticeKind.RECEIPT)

    assert receipt.subject == "API Notification"
    for part in (receipt.text, seen(receipt.html)):
        assert "Please wait the calculation, you'll receive an email with results" in part


def test_the_result_says_it_on_one_line():
    result = letter(NoticeKind.RESULT)

    assert result.subject == "Your operation is complete!"
    assert "The result is: 40" in result.text.splitlines()
    assert re.search(r"The result is:\s+40\b", seen(result.html))


def test_the_failure_says_what_went_wrong_in_a_sentence():
    failure = letter(NoticeKind.FAILURE)

    assert failure.subject == "An error occurred"
    assert "Your operation failed with ZeroDivisionError: division by zero." in failure.text.splitlines()
    assert "ZeroDivisionError: division by zero" in seen(failure.html)
    assert "ttempts" not in failure.text


def test_a_failure_after_several_attempts_tells_their_number():
    failure = letter(NoticeKind.FAILURE, attempt="3")

    assert "Attempts: 3" in failure.text
    assert "after 3 attempts" in seen(failure.html)


def test_a_cancelled_job_is_told_with_its_reason():
    reason = "nobody waits for it any more: its deadline passed before it was started"
    cancelled = letter(NoticeKind.CANCELLED, error=json.dumps({"type": "DeadlinePassed", "message": reason}))

    assert cancelled.subject == "Your operation was cancelled"
    assert f"The reason: {reason}." in " ".join(cancelled.text.split())
    assert reason in seen(cancelled.html)
    assert "reason" not in letter(NoticeKind.CANCELLED, error="").text


@pytest.mark.parametrize("kind", OF_A_JOB)
def test_every_mail_about_a_job_names_it_and_links_to_it(kind):
    mail = letter(kind)

    for part in (mail.text, seen(mail.html)):
        assert "sum of value 30, other 10" in part
        assert ID in part
        assert LINK in part
    assert f'href="{LINK}"' in mail.html


def test_a_letter_is_what_its_author_wrote():
    mail = letter(NoticeKind.LETTER, body="Dear you,\r\n\r\n  1 < 2 & so on")

    assert mail.subject == "testing"
    assert mail.text == "Dear you,\n\n  1 < 2 & so on\n"
    assert "Dear you,<br><br>  1 &lt; 2 &amp; so on" in mail.html
    assert "jobs/" not in mail.html


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_text_reads_well_alone(kind):
    mail = letter(kind)

    assert not re.search(r"<[a-z/!]|&[a-z#0-9]+;|[ \t]$|\n\n\n", mail.text, re.MULTILINE)
    assert all(len(line) <= 76 for line in mail.text.splitlines() if "://" not in line)
    assert mail.text.endswith("\n")


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_html_needs_nothing_from_elsewhere_and_follows_dark_mode(kind):
    markup = letter(kind).html

    assert not re.search(r"<(img|link|script|iframe|table)|url\(|@import|src=", markup)
    assert 'name="color-scheme" content="light dark"' in markup
    assert "prefers-color-scheme: dark" in markup
    assert 'name="viewport"' in markup
    assert len(markup) < 5_000


# ---- which mail is which


def test_ids_are_distinct_stable_and_make_a_thread():
    letters = {kind: letter(kind) for kind in NoticeKind}

    assert {kind: mail.message_id for kind, mail in letters.items()} == {
        kind: f"<{ID}.{kind}@mail.test>" for kind in NoticeKind
    }
    assert letter(NoticeKind.RESULT, result="41").message_id == letters[NoticeKind.RESULT].message_id
    receipt = letters[NoticeKind.RECEIPT].message_id
    assert [letters[kind].in_reply_to for kind in NoticeKind] == [None, receipt, receipt, receipt, None]


# ---- results


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("2.5", "2.5"),
        (str(10**36), str(10**36)),
        ("9" * 9_000, "9" * 9_000),  # more digits than int() takes
        ("1.10", "1.10"),
        ('"40"', "40"),
        ('"/etc/passwd"', "/etc/passwd"),
        ('"caf\\u00e9 \\n line two"', "café \n line two"),
        ('{"a":[1,2.50]}', '{"a":[1,2.50]}'),
        ("true", "true"),
        ("null", "null"),
        ('"broken', '"broken'),
        ('"\\u0000\\u001b[31m \\ud800"', "�" * 2 + "[31m �"),
    ],
)
def test_a_result_is_shown_exactly(stored, shown):
    result = letter(NoticeKind.RESULT, result=stored)

    assert f"The result is: {shown}\n" in result.text
    assert shown in seen(result.html)


@pytest.mark.parametrize("stored", ["1" * 12_345, json.dumps("x" * 12_345)])
def test_a_long_result_is_cut_and_the_rest_is_behind_the_link(stored):
    result = letter(NoticeKind.RESULT, result=stored)

    assert len(re.search("(1|x){100,}", result.text)[0]) == MAX_SHOWN
    assert f"These are the first 10,000 of 12,345 characters. All of them:\n{LINK}\n" in result.text
    assert "first 10,000 of 12,345 characters" in seen(result.html)


def test_a_result_of_the_longest_kind_is_written_in_no_time():
    started = process_time()

    letter(NoticeKind.RESULT, result=json.dumps("é\n" * 2_500_000))

    assert process_time() - started < 1


# ---- the file beside it

TABLE = '[{"column":"age","mean":38.5}]'


def test_a_result_whose_operation_has_an_attachment_carries_it_and_says_so():
    result = letter(NoticeKind.RESULT, operation="csv_summary", attachment="csv", result=TABLE)

    assert result.attachment.name == "csv_summary.csv"
    assert result.attachment.content == b"column,mean\r\nage,38.5\r\n"
    for part in (result.text, seen(result.html)):
        assert "All of it is in the attached file csv_summary.csv." in part
        assert TABLE in part


@pytest.mark.parametrize("kind", sorted(set(NoticeKind) - {NoticeKind.RESULT}))
def test_no_other_mail_carries_it(kind):
    assert letter(kind, attachment="csv", result=TABLE).attachment is None


def test_a_result_that_makes_no_file_is_mailed_without_one():
    result = letter(NoticeKind.RESULT, attachment="csv")

    assert result.attachment is None
    assert "attached" not in result.text + result.html


# ---- what clients write


@pytest.mark.parametrize("kind", NoticeKind)
def test_markup_stays_text(kind):
    evil = '<link rel=stylesheet href="http://127.0.0.1/x"><script>alert(1)</script>&amp;"\''
    mail = letter(
        kind,
        operation=evil,
        arguments=json.dumps({evil: evil}),
        result=json.dumps(evil),
        error=json.dumps({"type": evil, "message": evil}),
        subject=evil,
        body=evil,
    )

    assert "<script" not in mail.html
    assert "<link" not in mail.html
    if kind is not NoticeKind.RECEIPT:
        assert evil in seen(mail.html)


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("hello\r\nBcc: victim@email.com", "hello Bcc: victim@email.com"),
        ("  a\t\n b\u2028c\x85d\0e ", "a b c d e"),
        (f"a{BIDI}b", "ab"),
        ("\x1b[31mred", "[31mred"),
        ("\ud800", "(no subject)"),
        ("", "(no subject)"),
        ("\n", "(no subject)"),
        ("x" * 300, "x" * (MAX_SUBJECT - 1) + "…"),
        ("grüße 💥", "grüße 💥"),
    ],
)
def test_a_subject_is_one_harmless_line(written, subject):
    assert letter(NoticeKind.LETTER, subject=written).subject == subject


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{}", "sum"),
        ("", "sum"),
        ("not json", "sum"),
        ("[1]", "sum"),
        ("[" * 100_000, "sum"),
        ('{"value":1e400,"other":-0.10}', "sum of value 1e400, other -0.10"),
        ('{"text":"a\\nb"}', "sum of text “a b”"),
        ('{"of":[1,{"a":null}],"all":true}', "sum of of [1, {a: null}], all true"),
        (json.dumps({"value": int("9" * 4000)}), f"sum of value {'9' * 79}…"),
    ],
)
def test_arguments_are_told_in_words(arguments, words):
    text = " ".join(letter(NoticeKind.RECEIPT, arguments=arguments).text.split())

    assert f"Operation: {words} Job:" in text


def test_many_arguments_are_told_in_part():
    text = letter(NoticeKind.RECEIPT, arguments=json.dumps({f"name{n}": [1] * 1000 for n in range(1000)})).text

    assert len(text) < 500
    assert "…" in text


@pytest.mark.parametrize("error", ["", "nonsense", "{}", "[]", "7", '{"type":1}'])
def test_an_error_that_can_not_be_read_is_still_told(error):
    assert "Your operation failed with Error." in letter(NoticeKind.FAILURE, error=error).text


def test_an_error_message_cannot_turn_the_text_around_it():
    error = json.dumps({"type": "ValueError", "message": f"bad{BIDI}\r\n\r\nThe result is: 41."})

    failure = letter(NoticeKind.FAILURE, error=error)

    assert "failed with ValueError: bad The result is: 41.\n" in failure.text


@pytest.mark.parametrize("missing", ["operation", "arguments", "result", "error", "attempt"])
@pytest.mark.parametrize("kind", OF_A_JOB)
def test_a_record_with_a_hole_still_makes_a_mail(kind, missing):
    assert compose(kind, {key: value for key, value in RECORD.items() if key != missing}, SETTINGS).text


# ---- addresses

GOOD = [
    "name@email.com",
    "a@localhost",
    "first.last+tag@mail.example.co.uk",
    "o'brien@example.com",
    f"{'a' * 64}@{'b' * 63}.com",
]
BAD = [
    "",
    "name",
    "@email.com",
    "name@",
    "name@email.com\n",
    "name@email.com\r\nBcc: x@y.test",
    "name@email.com ",
    " name@email.com",
    "na me@email.com",
    "name@email.com,other@email.com",
    "name@email.com;other@email.com",
    "name@one@two",
    "Name <name@email.com>",
    '"name"@email.com',
    ".name@email.com",
    "na..me@email.com",
    "name@email..com",
    "name@email.com.",
    "name@-email.com",
    "name@email_.com",
    "name@[127.0.0.1]",
    "náme@email.com",
    "name@émail.com",
    "name\0@email.com",
    f"{'a' * 65}@email.com",
    f"name@{'b' * 64}.com",
    f"name@{'b.' * 125}com",
    "a" * 300 + "@email.com",
    "a" * 100_000,
    "a." * 50_000 + "@",
]


@pytest.mark.parametrize("address", GOOD)
def test_one_plain_address_is_taken(address):
    assert is_address(address)
    assert TypeAdapter(EmailAddress).validate_python(address) == address
    assert re.search(EMAIL_PATTERN, address)


@pytest.mark.parametrize("address", BAD, ids=lambda text: ascii(text[:30]))
@pytest.mark.parametrize("kind", [NoticeKind.RESULT, NoticeKind.LETTER])
def test_everything_else_is_refused_at_every_door(kind, address):
    assert not is_address(address)
    with pytest.raises(ValidationError, match="one e-mail address"):
        TypeAdapter(EmailAddress).validate_python(address)
    with pytest.raises(MailRefused, match="one plain e-mail address"):
        letter(kind, email=address, to=address)


@pytest.mark.parametrize("value", [None, 1, b"name@email.com", ["name@email.com"]])
def test_an_address_is_a_text(value):
    with pytest.raises(ValidationError):
        TypeAdapter(EmailAddress).validate_python(value)
