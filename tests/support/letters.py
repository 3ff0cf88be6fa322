"""Writes and sends the letters of notifications, for tests."""

from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.letter import Letter, lay_out
from workers.mail.writing.mime import write_mime
from workers.mail.writing.template_set import templates_in
from workers.mail.writing.words import write_words


def compose(notice: DueNotification, settings: Settings, links: SignedLinks, *, bare: bool = False) -> Letter:
    """Write the letter of a notification; a `bare` one has no attachments."""
    words = write_words(notice, settings, links)
    return lay_out(words.without_attachments() if bare else words, templates_in(settings.mail_templates))


def send_letter(mailer: Mailer, letter: Letter) -> None:
    """Send a letter."""
    mailer.send(write_mime(letter))
