"""A letter as the bytes of a mail, parsed back: its parts, headers and files."""

from dataclasses import replace
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest

from errand.errors import MailRefused
from tests.support.hostile import png
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.letter import Letter
from workers.mail.writing.mime import write_mime

LETTER = Letter(
    mail_from=Address("Errand", addr_spec="errand@errand.test"),
    to="name@email.com",
    subject="Your operation is complete!",
    text="The result is: 40\n",
    html="<p>The result is: 40</p>\n",
    message_id="<1.result@errand.test>",
    in_reply_to="<1.receipt@errand.test>",
    unsubscribe="https://errand.test/unsubscribe/abc",
)
TABLE = Attachment("sum.csv", "text/csv", b"a,b\r\n1,2\r\n")
PICTURE = Attachment("histogram.png", "image/png", png(2, 2), inline=True)


def parsed(letter: Letter) -> EmailMessage:
    mail = message_from_bytes(write_mime(letter).content, policy=default)
    assert isinstance(mail, EmailMessage)
    assert not any(part.defects for part in mail.walk())
    return mail


def parts(mail: EmailMessage) -> list[tuple[str, str | None]]:
    return [(part.get_content_type(), part.get_content_disposition()) for part in mail.walk()]


def test_text_and_html_are_alternatives():
    mail = parsed(LETTER)

    assert parts(mail) == [("multipart/alternative", None), ("text/plain", None), ("text/html", None)]
    for kind, written in (("plain", LETTER.text), ("html", LETTER.html)):
        assert mail.get_body((kind,)).get_content().replace("\r\n", "\n") == written


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("plain", "7bit"), ("plain words around one that is not: grün " * 20, "quoted-printable"), ("値" * 300, "base64")],
)
def test_a_text_has_the_shorter_encoding_and_stays_what_it_is(text, encoding):
    mail = parsed(replace(LETTER, text=f"{text}\n", html=f"<p>{text}</p>\n"))

    for kind, written in (("plain", f"{text}\n"), ("html", f"<p>{text}</p>\n")):
        part = mail.get_body((kind,))
        assert part["Content-Transfer-Encoding"] == encoding
        assert part.get_content().replace("\r\n", "\n") == written


def test_a_file_is_attached_to_them():
    mail = parsed(replace(LETTER, attachments=(TABLE,)))

    assert parts(mail)[0] == ("multipart/mixed", None)
    [file] = mail.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("text/csv", "sum.csv")
    assert (file.get_content_charset(), file.get_param("header")) == ("utf-8", "present")
    assert file.get_payload(decode=True) == TABLE.content


def test_json_is_attached_without_a_charset():
    [file] = parsed(replace(LETTER, attachments=(Attachment("a.json", "application/json", b"[1]"),))).iter_attachments()

    assert file["Content-Type"] == "application/json"
    assert file.get_payload(decode=True) == b"[1]"


def test_a_picture_is_one_part_that_the_html_shows_and_that_is_offered_as_a_file():
    mail = parsed(replace(LETTER, attachments=(PICTURE,)))

    assert parts(mail) == [
        ("multipart/related", None),
        ("multipart/alternative", None),
        ("text/plain", None),
        ("text/html", None),
        ("image/png", "inline"),
    ]
    assert mail.get_param("type") == "multipart/alternative"
    [shown] = mail.iter_attachments()
    assert (shown["Content-ID"], shown.get_filename()) == (f"<{PICTURE.cid}>", "histogram.png")
    assert shown.get_payload(decode=True) == PICTURE.content


def test_a_picture_and_a_file_go_side_by_side():
    mail = parsed(replace(LETTER, attachments=(PICTURE, TABLE)))

    assert [kind for kind, _ in parts(mail)][:3] == ["multipart/mixed", "multipart/related", "multipart/alternative"]
    assert parts(mail)[-2:] == [("image/png", "inline"), ("text/csv", "attachment")]


def test_a_picture_without_html_is_attached_only():
    assert parts(parsed(replace(LETTER, html=None, attachments=(PICTURE,)))) == [
        ("multipart/mixed", None),
        ("text/plain", None),
        ("image/png", "attachment"),
    ]


def test_mail_programs_are_told_how_to_unsubscribe():
    mail = parsed(LETTER)

    assert mail["List-Unsubscribe"] == "<https://errand.test/unsubscribe/abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in parsed(replace(LETTER, unsubscribe=None))


@pytest.mark.parametrize("length", [10, 77, 300, 700])
def test_long_links_and_ids_stay_as_they_are_on_one_line(length):
    link, id_ = f"https://errand.test/{'aB-_.' * (length // 5)}", f"<{'0' * (length // 3)}.receipt@errand.test>"

    content = write_mime(replace(LETTER, unsubscribe=link, in_reply_to=id_)).content

    lines = content.split(b"\r\n")
    assert f"List-Unsubscribe: <{link}>".encode() in lines
    assert f"In-Reply-To: {id_}".encode() in lines
    assert f"References: {id_}".encode() in lines
    assert max(map(len, lines)) <= 998


@pytest.mark.parametrize(
    "change",
    [
        {"unsubscribe": "https://errand.test/a\r\nBcc: victim@email.com"},
        {"attachments": (replace(TABLE, name="a.csv\r\nBcc: victim@email.com"),)},
        {"attachments": (replace(TABLE, media_type="text/csv\r\nBcc: victim@email.com"),)},
    ],
    ids=str,
)
def test_a_value_that_would_break_out_of_its_header_is_refused(change):
    with pytest.raises(MailRefused):
        write_mime(replace(LETTER, **change))
