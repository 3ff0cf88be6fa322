"""Letters: what they say, and that nothing a client wrote breaks out of its place in them."""

import html
import json
import re
from dataclasses import replace
from time import process_time

import pytest

from errand.errors import MailRefused
from errand.job_error import JobError
from errand.record import JobRecord
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.address import EMAIL_PATTERN, as_address, is_address
from schemas.notifications import NoticeKind
from schemas.pictures import Picture
from tests.support.hostile import png
from tests.support.letters import compose
from workers.mail.writing.letter import Letter
from workers.mail.writing.result_words import MAX_PART, ROWS_IN_PART
from workers.mail.writing.sample_notices import ID, SINCE, sample, samples
from workers.mail.writing.template_set import MAX_SUBJECT

SETTINGS = Settings(
    _env_file=None, mail_from="Errand <errand@mail.test>", public_url="https://errand.test/", link_ttl=3600
)
LINKS = SignedLinks(b"a secret of 32 bytes, no less...", SETTINGS.base_url)
LINK = LINKS.job(ID, SINCE // 1000 + 3600)
UNSUBSCRIBE = LINKS.unsubscribe("name@email.com")
PUBLIC = JobError("ZeroDivisionError", "division by zero", public=True).written()
RECORD = {"result": "40", "error": PUBLIC}
WHOLE = {
    "operation": "sum",
    "status": "failed",
    "created_at": str(SINCE),
    "max_attempts": "3",
    "arguments": '{"value":30,"other":10}',
    "attempt": "1",
    **RECORD,
}
MAIL = {"subject": "testing", "body": "Just testing"}
OF_A_JOB = [NoticeKind.RECEIPT, NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED]
SAMPLES = list(samples())
BIDI = "\u202e\u2066\u200f"


def letter(
    kind: NoticeKind, *, bare: bool = False, to: str = "name@email.com", name: str = "", **changes: str
) -> Letter:
    notice = sample(kind, **(MAIL if kind is NoticeKind.LETTER else RECORD) | changes)
    return compose(replace(notice, name=name or kind.value, to=to), SETTINGS, LINKS, bare=bare)


def result(value: object, **options: bool) -> Letter:
    return letter(NoticeKind.RESULT, result=json.dumps(value), **options)


def seen(markup: str) -> str:
    """Return the text that a reader sees of the HTML part."""
    body = markup.partition("<body")[2].partition(">")[2].replace("<br>", "\n")
    return html.unescape(re.sub(r"<[^>]*>", "", body))


# ---- the words


def test_the_receipt_asks_to_wait():
    receipt = letter(NoticeKind.RECEIPT)

    assert receipt.subject == "sum(30, 10) - API Notification (556666)"
    for part in (receipt.text, seen(receipt.html)):
        assert "Please wait the calculation, you'll receive an email with results" in part


def test_a_receipt_without_a_result_mail_asks_nobody_to_wait():
    receipt = letter(NoticeKind.RECEIPT, notify="accepted failed")

    for part in (receipt.text, seen(receipt.html)):
        assert "Please wait" not in part
        assert "You asked for no email with the result" in part
    assert "Please wait" in letter(NoticeKind.RECEIPT, notify="accepted succeeded").text


def test_the_result_says_it_on_one_line():
    mail = letter(NoticeKind.RESULT)

    assert mail.subject == "sum(30, 10): 40 - Your operation is complete! (556666)"
    assert mail.text.startswith("Your operation is complete!\n\nThe result is: 40\n")
    assert re.search(r"The result is:\s+40\b", seen(mail.html))


def test_the_failure_says_what_went_wrong_in_a_sentence():
    failure = letter(NoticeKind.FAILURE)

    assert failure.subject == "sum(30, 10) - An error occurred (556666)"
    assert "Your operation failed: division by zero." in failure.text.splitlines()
    assert "division by zero" in seen(failure.html)
    assert "ZeroDivisionError" not in failure.text + seen(failure.html)
    assert "ttempts" not in failure.text


@pytest.mark.parametrize("attempt", ["1", "3"])
def test_a_failure_that_was_not_written_for_people_has_a_kind_sentence_and_a_reference(attempt):
    error = JobError("KeyError", "'amount'").written()

    failure = letter(NoticeKind.FAILURE, error=error, attempt=attempt)

    for part in (" ".join(failure.text.split()), seen(failure.html)):
        assert "Something went wrong while we worked on your operation" in part
        assert "You can submit it again." in part
        assert f"reference {ID}: the details are kept under it." in part
        assert "KeyError" not in part
        assert "amount" not in part
    assert ("in each of 3 attempts" in seen(failure.html)) is (attempt == "3")


@pytest.mark.parametrize(("type_", "words"), [("TimedOut", "longer than it may"), ("MemoryExceeded", "more memory")])
def test_a_limit_is_named_in_the_mail(type_, words):
    failure = letter(NoticeKind.FAILURE, error=JobError(type_, "used more than its limit of 7 MB").written())

    assert words in failure.text
    assert words in seen(failure.html)


def test_a_failure_after_several_attempts_says_how_many():
    failure = letter(NoticeKind.FAILURE, attempt="3")

    assert "Attempts: 3" in failure.text
    assert "after 3 attempts" in seen(failure.html)


def test_a_cancellation_says_its_reason():
    reason = "nobody waits for it any more: its deadline passed before it was started"
    cancelled = letter(NoticeKind.CANCELLED, error=json.dumps({"type": "DeadlinePassed", "message": reason}))

    assert cancelled.subject == "sum(30, 10) - Your operation was cancelled (556666)"
    assert f"The reason: {reason}." in " ".join(cancelled.text.split())
    assert reason in seen(cancelled.html)
    assert "reason" not in letter(NoticeKind.CANCELLED, error="").text


@pytest.mark.parametrize("kind", OF_A_JOB)
def test_every_mail_about_a_job_names_it_and_has_its_link_and_the_link_to_unsubscribe(kind):
    mail = letter(kind)

    for part in (mail.text, seen(mail.html)):
        assert "sum of value 30, other 10" in part
        assert ID in part
    for link in (LINK, UNSUBSCRIBE):
        assert link in mail.text.splitlines()
        assert f'href="{link}"' in mail.html
    assert mail.unsubscribe == UNSUBSCRIBE


@pytest.mark.parametrize("kind", OF_A_JOB)
def test_every_mail_about_a_job_says_until_when_its_link_works(kind):
    until = "21 November 2026, 07:13 UTC"

    mail = letter(kind)

    assert f"until {until}" in mail.text
    assert f"The link works until {until}" in seen(mail.html)


def test_the_link_to_an_ended_job_works_no_longer_than_the_job_is_kept():
    forgotten = {"expires_at": str(SINCE + 600_000)}
    until = "21 November 2026, 06:23 UTC"

    assert f"until {until}" in letter(NoticeKind.RESULT, **forgotten).text
    assert until not in letter(NoticeKind.RECEIPT, **forgotten).text  # of its last run; it may run for days


@pytest.mark.parametrize(
    ("zone", "until"),
    [
        ("Europe/Berlin", "21 November 2026, 08:13 CET (Europe/Berlin)"),
        ("Asia/Kathmandu", "21 November 2026, 12:58 UTC+05:45 (Asia/Kathmandu)"),
        ("Mars/Olympus", "21 November 2026, 07:13 UTC"),  # a worker that knows fewer zones than the API
    ],
)
@pytest.mark.parametrize("kind", OF_A_JOB)
def test_times_are_in_the_zone_of_the_job(kind, zone, until):
    mail = letter(kind, timezone=zone)

    for part in (mail.text, seen(mail.html)):
        assert f"until {until}" in " ".join(part.split())


def test_a_letter_says_what_its_author_wrote():
    mail = letter(NoticeKind.LETTER, body="Dear you,\r\n\r\n  1 < 2 & so on")

    assert mail.subject == "testing"
    assert mail.text == "Dear you,\n\n  1 < 2 & so on\n"
    assert "Dear you,<br><br>  1 &lt; 2 &amp; so on" in mail.html
    assert "/view/" not in mail.html
    assert f'href="{UNSUBSCRIBE}"' in mail.html
    assert mail.unsubscribe == UNSUBSCRIBE


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("notice", SAMPLES, ids=lambda notice: notice.kind.value)
def test_the_text_reads_well_alone(notice, bare):
    mail = compose(notice, SETTINGS, LINKS, bare=bare)

    assert not re.search(r"<[a-z/!]|&[a-z#0-9]+;|[ \t]$|\n\n\n|\{\{|None", mail.text, re.MULTILINE)
    long = [line for line in mail.text.splitlines() if len(line) > 76 and "://" not in line]
    assert all("a long text" in line for line in long)
    assert mail.text.endswith("\n")
    assert not mail.text.startswith("\n")


@pytest.mark.parametrize("notice", SAMPLES, ids=lambda notice: notice.kind.value)
def test_the_html_needs_nothing_from_elsewhere_and_follows_dark_mode(notice):
    mail = compose(notice, SETTINGS, LINKS)

    assert not re.search(r"<(link|script|iframe|object)|url\(|@import|src=\"(?!cid:)", mail.html)
    assert 'name="color-scheme" content="light dark"' in mail.html
    assert "prefers-color-scheme: dark" in mail.html
    assert 'name="viewport"' in mail.html
    assert len(mail.html) < 100_000  # what is longer is cut off by some mail programs


# ---- which mail is which


def test_ids_are_distinct_stable_and_make_a_thread():
    letters = {kind: letter(kind) for kind in NoticeKind}

    assert {kind: mail.message_id for kind, mail in letters.items()} == {
        kind: f"<{ID}.{kind}@mail.test>" for kind in NoticeKind
    }
    assert letter(NoticeKind.RESULT, result="41").message_id == letters[NoticeKind.RESULT].message_id
    receipt = letters[NoticeKind.RECEIPT].message_id
    assert [letters[kind].in_reply_to for kind in NoticeKind] == [None, receipt, receipt, receipt, None]


@pytest.mark.parametrize("number", ["-2", "-10"])
def test_each_recipient_has_a_thread_of_their_own(number):
    receipt = letter(NoticeKind.RECEIPT, name=f"receipt{number}", to="other@email.com")
    failure = letter(NoticeKind.FAILURE, name=f"failure{number}", to="other@email.com", retries="1")

    assert receipt.message_id == failure.in_reply_to == f"<{ID}.receipt{number}@mail.test>"
    assert failure.message_id == f"<{ID}.failure{number}1@mail.test>"
    assert failure.to == "other@email.com"
    assert failure.unsubscribe == LINKS.unsubscribe("other@email.com")


def test_the_same_notice_makes_the_same_letter():
    assert [compose(notice, SETTINGS, LINKS) for notice in SAMPLES] == [
        compose(notice, SETTINGS, LINKS) for notice in samples()
    ]


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
        ("[]", "none"),
        ("{}", "none"),
        ("true", "true"),
        ("null", "none"),
        ('"broken', '"broken'),
        ('"\\u0000\\u001b[31m \\ud800"', "�" * 2 + "[31m �"),
    ],
)
def test_a_result_is_shown_exactly(stored, shown):
    mail = letter(NoticeKind.RESULT, result=stored)

    gap = "\n\n" if "\n" in shown else " "
    assert f"The result is:{gap}{shown}\n" in mail.text
    assert shown in seen(mail.html)


NESTED = """{
  "order": "A-1042", "paid": true, "total": 1250.00, "note": null, "tags": ["vip", 7], "history": [],
  "customer": {"name": "Ada", "address": {"street": "12 St James's Square", "lines": "one\\ntwo"}},
  "lines": [{"sku": "X1", "price": 1250.00}, {"sku": "X2", "price": 0.05}],
  "mixed": [1, {"a": [true, ""]}, [2, [3]]]
}"""
NESTED_AS_TEXT = """order: A-1042
paid: true
total: 1250.00
note: none
tags: vip, 7
history: none
customer:
  name: Ada
  address:
    street: 12 St James's Square
    lines:
      one
      two
lines:
  sku    price
  ---  -------
  X1   1250.00
  X2      0.05
mixed:
  - 1
  - a: true, (empty text)
  - - 2
    - 3"""


def test_a_nested_result_is_laid_out_for_people_and_keeps_every_digit():
    mail = letter(NoticeKind.RESULT, result=NESTED)

    assert f"The result is:\n\n{NESTED_AS_TEXT}\n\nOperation:" in mail.text
    words = " ".join(seen(mail.html).split())
    assert "order A-1042 paid true total 1250.00 note none tags vip, 7 history none customer name Ada address" in words
    assert "lines sku price X1 1250.00 X2 0.05 mixed 1 a true, (empty text) 2 3" in words
    assert "{" not in words + mail.text
    assert mail.attachments == ()


def test_what_is_nested_too_deep_is_json_and_the_mail_says_so():
    mail = letter(NoticeKind.RESULT, result='{"a":' * 9 + "[1.50,null]" + "}" * 9)

    for part in (mail.text, seen(mail.html)):
        words = " ".join(part.split())
        assert '{"a": {"a": {"a": [1.50, null]}}}' in words
        assert "Nested deep: its JSON." in words


def test_a_flat_object_is_shown_as_names_and_values():
    mail = letter(NoticeKind.RESULT, result='{"count":8,"mean":1.50,"stdev":null,"name":"x"}')

    assert "The result is:\n\ncount  8\nmean   1.50\nstdev  none\nname   x\n\n" in mail.text
    assert re.search(r"<th[^>]*>mean</th>\s*<td[^>]*><div[^>]*>1.50</div>", mail.html)
    assert mail.attachments == ()


def test_a_table_is_set_in_columns_and_attached():
    mail = result([{"column": "name", "mean": None}, {"column": "漢字", "mean": 38.5}])

    lines = ["column  mean", "------  ----", "name", "漢字    38.5"]
    assert "\n".join(["The result is:", "", *lines, ""]) in mail.text
    assert "This table is also in the attached file sum.csv." in mail.text
    assert re.search(r"<th[^>]*>mean</th>", mail.html)
    assert re.search(r"<td[^>]*text-align:right[^>]*>38.5</td>", mail.html)
    assert "This table is also in the attached file sum.csv." in seen(mail.html)


def test_the_rows_of_a_wide_table_are_blocks_in_the_text_part():
    mail = result([{f"column {n}": "a" * 20 for n in range(9)} | {"empty": None}] * 3)

    assert mail.text.count("\ncolumn 0: aaaaaaaaaaaaaaaaaaaa\ncolumn 1: ") == 3
    assert "empty" not in mail.text
    assert mail.html.count("column 8:") == 3, "and cards in the HTML part"


def test_of_a_long_table_the_first_rows_are_shown_and_the_file_has_all():
    mail = result(list(range(1_234)))

    assert f"\n   {ROWS_IN_PART - 1}\n" in mail.text
    assert f"\n   {ROWS_IN_PART}\n" not in mail.text
    for part in (mail.text, seen(mail.html)):
        words = " ".join(part.split())
        assert "20 of 1,234 rows." in words
        assert "This is only part of the result. The whole result is in the attached file sum.csv." in words
    assert "… and 1,214 more" in seen(mail.html)


def test_the_text_part_says_how_many_rows_it_has():
    mail = result([{f"column {n}": "a" * 20 for n in range(5)}] * 40)

    shown = mail.text.count("column 0")
    assert 5 < shown < 40
    assert f"({shown} of 40 rows.)" in mail.text
    assert "This is only part of the result" in mail.text
    assert "only part" not in mail.html


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([{"a": "x" * 201}], "Long cells end after 200 characters."),
        ([{f"key{n}": 1 for n in range(22)}], "2 more columns: key20, key21."),
        ([{f"a long name of a column, {n}": 1 for n in range(60)}], "40 more columns: a long name of a column, 20, a"),
        (["two\nlines"], "Long cells end after 200 characters."),
        ({"rows": [{"n": n} for n in range(51)]}, "20 of 51 rows."),
        ({"a": {f"key{n}": n for n in range(52)}}, "2 more members: key50, key51."),
        ({"a": [[n] for n in range(51)]}, "50 of 51 items."),
        ({"a": list(range(501))}, "500 of 501 items."),
        ({"a": "x" * 2_001, "b": 1}, "The first 2,000 of 2,001 characters."),
    ],
    ids=str,
)
def test_a_result_that_is_shown_in_part_says_what_is_missing(value, said):
    mail = result(value)

    [file] = mail.attachments
    for part in (mail.text, seen(mail.html)):
        words = " ".join(part.split())
        assert said[:-1] in words
        assert f"This is only part of the result. The whole result is in the attached file {file.name}." in words


@pytest.mark.parametrize("stored", ["1" * 12_345, json.dumps("x" * 12_345), f'["{"x" * 12_341}",'])
def test_a_long_result_is_cut_and_the_rest_is_in_its_file_or_behind_the_link(stored):
    mail, bare = (letter(NoticeKind.RESULT, result=stored, bare=bare) for bare in (False, True))

    size = "12,345"
    assert len(re.search("(1|x){100,}", mail.text)[0]) in (MAX_PART, MAX_PART - 2)
    assert [file.name for file in mail.attachments] == ["sum.json"]
    assert bare.attachments == ()
    in_file = "The whole result is in the attached file sum.json."
    for part, where in (
        (mail.text, in_file),
        (seen(mail.html), in_file),
        (bare.text, "The link below leads to the whole result."),
        (seen(bare.html), "The button leads to the whole result."),
    ):
        unit = "characters of its JSON" if stored.startswith("[") else "characters"
        assert f"These are the first 2,000 of {size} {unit}. {where}" in " ".join(part.split())
    assert f"See the whole result (until 21 November 2026, 07:13 UTC):\n{LINK}\n" in bare.text
    assert "See the whole result" in seen(bare.html)


def test_a_picture_is_shown_and_described():
    document = Picture.of(png(3, 3), "Three <b>dots</b>\nand more").model_dump_json()
    mail, bare = (letter(NoticeKind.RESULT, result=document, bare=bare) for bare in (False, True))

    [file] = mail.attachments
    assert f'<img src="cid:{file.cid}" alt="Three &lt;b&gt;dots&lt;/b&gt; and more"' in mail.html
    assert "The result is a picture: Three <b>dots</b> and more\n\nIt is attached as sum.png." in mail.text
    assert bare.attachments == ()
    assert "<img" not in bare.html
    for part in (bare.text, seen(bare.html)):
        assert "Three <b>dots</b> and more" in part
        assert "It is too large for an email" in part
    assert document[40:60] not in mail.text + mail.html


@pytest.mark.parametrize(
    "result", [json.dumps("é\n" * 2_500_000), f"[{'[' * 5_000_000}", "[" + "1," * 2_500_000 + "1]"]
)
def test_the_longest_results_are_laid_out_within_a_second(result):
    started = process_time()

    letter(NoticeKind.RESULT, result=result)

    assert process_time() - started < 1


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
def test_arguments_are_written_in_words(arguments, words):
    text = " ".join(letter(NoticeKind.RECEIPT, arguments=arguments).text.split())

    assert f"Operation: {words} Job:" in text


@pytest.mark.parametrize("value", [[1] * 1000, {f"key{n}": [[1] * 20] * 20 for n in range(9)}, "x" * 1000])
def test_many_arguments_are_shortened_and_take_no_time(value):
    arguments = json.dumps({f"name{n}": value for n in range(100)})
    started = process_time()

    text = letter(NoticeKind.RECEIPT, arguments=arguments).text

    assert process_time() - started < 2  # most of it goes into reading them
    assert len(text) < 800
    assert "…" in text


@pytest.mark.parametrize("error", ["", "nonsense", "{}", "[]", "7", '{"type":1}'])
def test_an_error_that_can_not_be_read_is_still_reported(error):
    assert "Something went wrong while we worked on your operation." in letter(NoticeKind.FAILURE, error=error).text


def test_an_error_message_can_not_reverse_the_text_around_it():
    error = JobError("ValueError", f"bad{BIDI}\r\n\r\nThe result is: 41.", public=True)

    failure = letter(NoticeKind.FAILURE, error=error.written())

    assert "operation failed: bad The result is: 41.\n" in failure.text


@pytest.mark.parametrize("missing", ["operation", "arguments", "result", "error", "attempt"])
@pytest.mark.parametrize("kind", OF_A_JOB)
def test_a_record_with_a_hole_still_makes_a_mail(kind, missing):
    fields = {field: text for field, text in WHOLE.items() if field != missing}
    record = JobRecord.read(ID, fields)

    assert compose(replace(sample(kind), record=record), SETTINGS, LINKS).text


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
    assert as_address(address) == address
    assert re.search(EMAIL_PATTERN, address)


@pytest.mark.parametrize("address", BAD, ids=lambda text: ascii(text[:30]))
@pytest.mark.parametrize("kind", [NoticeKind.RESULT, NoticeKind.LETTER])
def test_anything_but_one_plain_address_is_refused(kind, address):
    assert not is_address(address)
    with pytest.raises(MailRefused, match="one plain e-mail address"):
        letter(kind, to=address)
