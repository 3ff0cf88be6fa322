"""The HTML part of every mail stays below the size at which Gmail cuts it off, plain and encoded, whatever is in it."""

import json
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.support.letters import compose
from workers.mail.writing.mime import write_mime
from workers.mail.writing.sample_notices import sample

CUT_AT = 100_000
SETTINGS = Settings(_env_file=None, public_url="https://errand.test")
LINKS = SignedLinks(bytes(32), SETTINGS.base_url)

# what grows: as an entity, as UTF-8, as quoted-printable; and what breaks lines
GROWING = ("&", '"', "<", "é", "漢", "💥", "\u202e", "=", "x", "\n", "\t", "a word ")
texts = st.builds(lambda piece, count: piece * count, st.sampled_from(GROWING), st.sampled_from([0, 1, 60, 300, 5_000]))
plain = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
many = st.sampled_from([0, 1, 2, 30, 51, 400])


def repeated(values):
    """Lists and objects of many values alike, in which others are nested."""
    lists = st.builds(lambda value, count: [value] * count, values, many)
    objects = st.builds(
        lambda name, value, count: {f"{name}{n}": value for n in range(count)},
        texts,
        values,
        st.sampled_from([1, 9, 60]),
    )
    return st.one_of(lists, objects, st.lists(values, max_size=4), st.dictionaries(texts, values, max_size=4))


results = st.recursive(plain, repeated, max_leaves=6)


def check(mail):
    """Check the size of the HTML part as Gmail counts it, and as it is sent."""
    sent = message_from_bytes(write_mime(mail).content, policy=default)
    part = sent.get_body(("html",))
    assert len(part.get_payload(decode=True)) < CUT_AT
    assert len(part.get_payload().encode()) < CUT_AT


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(results)
@example([{f"{'&' * 200}{n}": '"' * 200 for n in range(20)}] * 50)
@example([{f"c{n}": "💥" * 200 for n in range(20)}] * 50)
@example({f"{'<' * 80}{n}": [{"a": "&" * 300}] * 50 for n in range(50)})
@example([[[["&" * 40] * 9] * 9] * 9] * 50)
@example([[n] for n in range(50)])
@example({"a": {"b": {"c": {"d": {f"{n}": [[]] * 9 for n in range(200)}}}}})
@example("&" * 10_000)
@example('"\n' * 5_000)
def test_of_any_result_the_html_part_is_not_cut_off(result):
    document = json.dumps(result)
    if len(document) > 3_000_000:
        return

    mail = compose(sample(NoticeKind.RESULT, operation="x" * 200, result=document), SETTINGS, LINKS)

    check(mail)
    if len(mail.html) > 30_000:
        begin = mail.html[:8_000]
        assert 'class="button"' in begin, "the button stands before anything that could be cut"
        assert LINKS.unsubscribe("name@email.com") in begin


@pytest.mark.parametrize("piece", GROWING)
@pytest.mark.parametrize("count", [1, 9_000, 40_000, 250_000])
def test_of_any_letter_the_html_part_is_not_cut_off(piece, count):
    body = piece * count

    mail = compose(sample(NoticeKind.LETTER, subject="testing", body=body), SETTINGS, LINKS)

    check(mail)
    assert mail.text.count(piece) >= count - 1, "the text part is whole"
    if "of" in mail.html and "characters" in mail.html:
        assert [file.name for file in mail.attachments] == ["letter.txt"]
        assert "The whole text is in the attached file letter.txt." in mail.html


@pytest.mark.parametrize("kind", [NoticeKind.FAILURE, NoticeKind.CANCELLED, NoticeKind.RECEIPT])
def test_of_any_error_and_arguments_the_html_part_is_not_cut_off(kind):
    error = json.dumps({"type": "&" * 5_000, "message": "💥" * 50_000})

    check(compose(sample(kind, arguments=json.dumps({"&" * 999: "💥" * 9_999}), error=error), SETTINGS, LINKS))
