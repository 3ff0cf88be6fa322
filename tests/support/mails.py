"""Mails in a Maildir, for tests of the mailbox: plain, rich and malicious ones."""

import mailbox
import re
from email.message import EmailMessage
from pathlib import Path

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A red picture of one pixel (PNG)."""


def letter(subject: str = "Hello", text: str | None = "The text.\n", html: str | None = None) -> EmailMessage:
    """Write a mail."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Errand <errand@localhost>", "name@email.com"
    if text is not None:
        message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def sentence(subject: str) -> str:
    """Return the sentence in the subject of a mail about a job, without the headline before and the id behind it."""
    found = re.search(r"^(?:.* - )?(.+?)(?: \([0-9a-f]{6}\))?$", subject)
    return found[1] if found else subject


def with_picture(html: str) -> EmailMessage:
    """Write a mail with an HTML part that shows a picture by `cid:pixel@here`, and a file beside it."""
    message = letter("A picture", html=html)
    message.get_payload()[1].add_related(PIXEL, "image", "png", cid="<pixel@here>")
    message.add_attachment(b"a,b\n1,2\n", "text", "csv", filename="table.csv")
    return message


def keep(folder: Path, *mails: EmailMessage | bytes) -> None:
    """Put mails into a Maildir, one after the other; it is made if it is not there."""
    maildir = mailbox.Maildir(folder)
    for mail in mails:
        maildir.add(mail if isinstance(mail, bytes) else mail.as_bytes())
