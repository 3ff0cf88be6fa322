"""A mail's words: made once from a notification, and complete for all that follows."""

import dataclasses
import json
from email.headerregistry import Address

import pytest

from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from schemas.pictures import Picture
from tests.support.hostile import png
from workers.mail.writing.letter import lay_out
from workers.mail.writing.sample_notices import sample
from workers.mail.writing.template_set import TemplateSet
from workers.mail.writing.words import MailWords, write_words

SETTINGS = Settings(_env_file=None, mail_from="Errand <errand@mail.test>", public_url="https://errand.test")
LINKS = SignedLinks(bytes(32), SETTINGS.base_url)
PICTURE = Picture.of(png(2, 2), "Four dots").model_dump_json()
TABLE = json.dumps([{"n": n} for n in range(100)])


def words(kind: NoticeKind, **fields: str) -> MailWords:
    given = {"subject": "testing", "body": "Just testing"} if kind is NoticeKind.LETTER else {}
    return write_words(sample(kind, **given, **fields), SETTINGS, LINKS)


def test_words_can_not_be_changed_once_they_are_made():
    with pytest.raises(dataclasses.FrozenInstanceError):
        words(NoticeKind.RECEIPT).to = "other@email.com"


def test_words_have_all_that_the_layout_needs():
    letter = lay_out(words(NoticeKind.RESULT, result=TABLE), TemplateSet())

    assert (letter.to, letter.mail_from) == ("name@email.com", Address("Errand", addr_spec="errand@mail.test"))
    assert "sum of value 30, other 10" in letter.text
    assert [file.name for file in letter.attachments] == ["sum.csv"]


@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind is not NoticeKind.RESULT])
def test_only_results_have_attachments(kind):
    made = words(kind)

    assert made.attachments == ()
    assert made.without_attachments() is made


@pytest.mark.parametrize("result", [TABLE, json.dumps("x" * 20_000)], ids=["table", "text"])
def test_without_its_attachment_a_result_is_shown_as_before(result):
    made = words(NoticeKind.RESULT, result=result)

    bare = made.without_attachments()

    assert bare == dataclasses.replace(made, attachments=(), variables=made.variables | {"file": None})


def test_without_its_attachment_a_picture_is_only_described():
    bare = words(NoticeKind.RESULT, result=PICTURE).without_attachments()

    assert bare.attachments == ()
    assert bare.variables["picture"] == {"source": None, "alt": "Four dots"}
    assert (bare.variables["file"], bare.variables["whole"]) == (None, False)


@pytest.mark.parametrize("result", [TABLE, PICTURE, json.dumps("x" * 20_000)], ids=["table", "picture", "text"])
def test_a_result_without_its_attachment_reads_as_if_the_attachment_were_too_large(result):
    none_fits = SETTINGS.model_copy(update={"mail_attachment_bytes": 0})
    notice = sample(NoticeKind.RESULT, result=result)

    assert write_words(notice, SETTINGS, LINKS).without_attachments() == write_words(notice, none_fits, LINKS)
