"""Keeps the connected mailers of a mail worker for the next mails. Used by `workers/mail/delivery.py`."""

from collections.abc import Iterator
from contextlib import contextmanager

from errand.settings import Settings
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.mail_from import read_mail_from


class MailerPool:
    """Lends mailers, each to one greenthread at a time. No connection is opened before the first mail."""

    def __init__(self, settings: Settings) -> None:
        """Make mailers for the server in SMTP_URL."""
        self._settings = settings
        self._idle: list[Mailer] = []

    @contextmanager
    def lend(self) -> Iterator[Mailer]:
        """Lend the mailer that was used last, as it is still connected, or a new one."""
        mailer = self._idle.pop() if self._idle else self._new()
        try:
            yield mailer
        finally:
            if mailer.connected:
                self._idle.append(mailer)

    def _new(self) -> Mailer:
        settings = self._settings
        return Mailer(settings.smtp_url, settings.mail_timeout, domain=read_mail_from(settings.mail_from).domain)

    def close_unused(self) -> None:
        """Close connections that no mail needed for a while."""
        while self._idle and not self._idle[0].connected:
            self._idle.pop(0).close()  # the one used longest ago comes first

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()
