"""Delivers a mail: decides whether it may go, words it, lays it out, sends it.

A job comes from `sender.py`, which claimed its notification and will record how the attempt ended. Next:
`workers/mail/writing/words.py`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import eventlet

from errand.errors import MailDeferred, MailRefused, MailServerAway
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from errand.trust.recipients import is_allowed, not_allowed_message
from schemas.notifications import NoticeState
from workers.mail.sending.mailer_pool import MailerPool
from workers.mail.sending.server_health import ServerHealth
from workers.mail.writing.letter import lay_out
from workers.mail.writing.mime import write_mime
from workers.mail.writing.template_set import templates_in
from workers.mail.writing.words import write_words

log = logging.getLogger(__name__)

MAX_TIMEOUTS: Final = 15.0
"""How many MAIL_TIMEOUTs an attempt may take, from connecting to the last reply, before the mail is deferred."""
MAX_PAUSE_SECONDS: Final = 600.0
"""Longest pause between two attempts to send one mail."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """How an attempt ended: what the server said if it didn't take the mail, and the pause before the next one (s)."""

    state: NoticeState
    error: str = ""
    pause: float = 0.0


class Delivery:
    """Delivers mails, each in the greenthread that asks for it."""

    def __init__(self, settings: Settings) -> None:
        """Deliver as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self._templates = templates_in(settings.mail_templates)
        self._mailers = MailerPool(settings)
        self.server: Final = ServerHealth(settings.mail_pause)

    def attempt(self, notice: DueNotification, links: SignedLinks) -> SendResult:
        """Try once to deliver a mail. Never raises for anything that happens to this mail: the result says it."""
        fields = {"action": f"mail_{notice.kind.value}", "job_id": notice.id}
        too_slow = MailDeferred("The mail server is too slow.")
        try:
            with eventlet.Timeout(MAX_TIMEOUTS * self._settings.mail_timeout, too_slow):
                self._deliver(notice, links)
        except MailServerAway as fault:
            log.warning("The mail server takes no mail: %s", fault, extra=fields)
            return self._postponed(notice, fault.detail, self.server.failed(busy=bool(fault.fields.get("busy"))))
        except MailRefused as fault:
            self.server.answered()
            log.warning("Mail refused: %s", fault, extra=fields)
            return SendResult(NoticeState.FAILED, fault.detail)
        except MailDeferred as fault:
            self.server.answered()
            log.warning("Mail not taken: %s", fault, extra=fields)
            return self._postponed(notice, fault.detail, self._pause_after(notice.attempt))
        except Exception as fault:
            # a mail that can't be written must not stop the others; it is tried again, as a new release may mend it
            log.exception("Mail could not be made", extra=fields)
            return self._postponed(notice, type(fault).__name__, self._pause_after(notice.attempt))
        self.server.answered()
        log.info("Mail sent", extra=fields)
        return SendResult(NoticeState.SENT)

    def close_unused(self) -> None:
        """Close connections that no mail needed for a while."""
        self._mailers.close_unused()

    def close(self) -> None:
        """Close all connections."""
        self._mailers.close()

    def _deliver(self, notice: DueNotification, links: SignedLinks) -> None:
        """Decide whether the mail may go, word it, lay it out, send it: the whole way of a mail."""
        require_allowed(notice.to, self._settings.allowed_domains)
        words = write_words(notice, self._settings, links)
        while True:
            letter = lay_out(words, self._templates)
            mail = write_mime(letter)
            try:
                with self._mailers.lend() as mailer:
                    mailer.send(mail)
                return
            except MailRefused as refusal:
                if not (refusal.fields.get("too_large") and words.attachments):
                    raise
            words = words.without_attachments()  # the attachments are behind its link, too

    def _postponed(self, notice: DueNotification, error: str, pause: float) -> SendResult:
        if notice.age > self._settings.mail_give_up * 1000:
            return SendResult(NoticeState.FAILED, f"Given up after {self._settings.mail_give_up:g} s: {error}")
        return SendResult(NoticeState.PENDING, error, pause)

    def _pause_after(self, attempt: int) -> float:
        return min(self._settings.mail_pause * 2.0 ** min(attempt - 1, 30), MAX_PAUSE_SECONDS)


def require_allowed(address: str, domains: Sequence[str]) -> None:
    """Raise MailRefused unless the address is in one of the domains of MAIL_ALLOW."""
    if not is_allowed(address, domains):
        raise MailRefused(f"{address} {not_allowed_message(domains)}.")
