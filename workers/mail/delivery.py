"""One attempt to deliver a mail: written, sent over a connection that is lent for it, and judged by what came of it.

Stands at step 6 of a job's life, under `sender.py`, which claims mails and writes down how it ended. Next:
`workers/mail/writing/letter.py` writes the mail, `workers/mail/sending/mailer.py` sends it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import eventlet

from errand.errors import MailDeferred, MailRefused, MailServerAway
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from errand.trust.recipients import is_allowed, not_allowed
from schemas.notices import NoticeState
from workers.mail.sending.mailer import Mailer
from workers.mail.sending.server_health import ServerHealth
from workers.mail.writing.letter import compose

log = logging.getLogger(__name__)

WHOLE_PATIENCE: Final = 15.0
"""How many MAIL_TIMEOUTs one mail may take, from connecting to the last answer, before it counts as deferred."""
LONGEST_PAUSE_SECONDS: Final = 600.0
"""Pause between two tries to send one mail at most."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """How an attempt ended: what the server said, if it didn't take the mail, and the pause before the next one (s)."""

    state: NoticeState
    error: str = ""
    pause: float = 0.0


class Delivery:
    """Delivers mails, each from the greenthread that asks; connections are kept for the next one."""

    def __init__(self, settings: Settings) -> None:
        """Deliver as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self.server: Final = ServerHealth(settings.mail_pause)
        self._mailers: list[Mailer] = []

    def attempt(self, notice: DueNotification, links: SignedLinks) -> SendResult:
        """Try once; whatever happens to this mail is its outcome."""
        fields = {"action": f"mail_{notice.kind.value}", "job_id": notice.id}
        try:
            self._send(notice, links)
        except MailServerAway as fault:
            log.warning("The mail server takes no mail: %s", fault, extra=fields)
            return self._put_off(notice, fault.detail, self.server.failed(busy=bool(fault.fields.get("busy"))))
        except MailRefused as fault:
            self.server.answered()
            log.warning("Mail refused: %s", fault, extra=fields)
            return SendResult(NoticeState.FAILED, fault.detail)
        except MailDeferred as fault:
            self.server.answered()
            log.warning("Mail not taken: %s", fault, extra=fields)
            return self._put_off(notice, fault.detail, self._pause_after(notice.attempt))
        except Exception as fault:
            # a mail that can't be written must not stop the others; it is tried again, as a new release may mend it
            log.exception("Mail could not be made", extra=fields)
            return self._put_off(notice, type(fault).__name__, self._pause_after(notice.attempt))
        self.server.answered()
        log.info("Mail sent", extra=fields)
        return SendResult(NoticeState.SENT)

    def tidy(self) -> None:
        """Close connections that nobody needed for a while."""
        while self._mailers and not self._mailers[0].connected:
            self._mailers.pop(0).close()  # the one used longest ago comes first

    def close(self) -> None:
        """Close all connections."""
        while self._mailers:
            self._mailers.pop().close()

    def _send(self, notice: DueNotification, links: SignedLinks) -> None:
        settings = self._settings
        if not is_allowed(notice.to, settings.mail_allowed):  # accepted before the operator changed his mind
            raise MailRefused(f"{notice.to} {not_allowed(settings.mail_allowed)}.")
        letter = compose(notice, settings, links)
        whole = WHOLE_PATIENCE * settings.mail_timeout
        with self._mailer() as mailer, eventlet.Timeout(whole, MailDeferred("The mail server is too slow.")):
            try:
                mailer.send(letter)
            except MailRefused as fault:
                if not (letter.attachments and fault.fields.get("too_large")):
                    raise
                # what its files hold is behind its link
                mailer.send(compose(notice, settings, links, bare=True))

    def _put_off(self, notice: DueNotification, error: str, pause: float) -> SendResult:
        if notice.age > self._settings.mail_give_up * 1000:
            return SendResult(NoticeState.FAILED, f"Given up after {self._settings.mail_give_up:g} s: {error}")
        return SendResult(NoticeState.PENDING, error, pause)

    def _pause_after(self, attempt: int) -> float:
        return min(self._settings.mail_pause * 2.0 ** min(attempt - 1, 30), LONGEST_PAUSE_SECONDS)

    @contextmanager
    def _mailer(self) -> Iterator[Mailer]:
        """Lend a mailer that is connected, or a new one: it serves one greenthread at a time."""
        settings = self._settings
        mailer = (
            self._mailers.pop()
            if self._mailers
            else Mailer(settings.smtp_url, settings.mail_from, settings.mail_timeout)
        )
        try:
            yield mailer
        finally:
            if mailer.connected:
                self._mailers.append(mailer)
