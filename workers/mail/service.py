"""The mail service: sends notifications by mail, each at least once, and records each once.

A job comes from the compute service, by a doorbell that only says "look now". The store has the notifications: they
were committed together with the job's status, so a lost doorbell delays a mail by a second and loses none. Next:
`sender.py`.
"""

import logging
from typing import Any
from uuid import uuid4

from nameko.extensions import DependencyProvider

from errand.errors import MailRefused, StoreUnavailable
from errand.settings import Settings
from schemas.address import as_address
from schemas.operations import MAIL
from workers.dependencies import StoreProvider, settings_of
from workers.entrypoints.doorbell import DoorbellBatch, doorbell
from workers.entrypoints.rpc import rpc
from workers.entrypoints.timer import timer
from workers.mail.delivery import require_allowed
from workers.mail.sender import MailSender
from workers.mail.sending.mail_server import MailServer
from workers.mail.writing.mail_from import read_mail_from
from workers.mail.writing.sample_notices import check_templates

log = logging.getLogger(__name__)


class MailSenderProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the container's MailSender."""

    _sender: MailSender | None = None

    def setup(self) -> None:
        """Make the sender."""
        self._sender = MailSender(settings_of(self))

    @property
    def dependency_state(self) -> str:
        """The state of the mail server: `up` or `down`, or an empty text before the start."""
        return "" if self._sender is None else "down" if self._sender.server_is_away else "up"

    def stop(self) -> None:
        """Let the sender finish the mails in progress."""
        if self._sender is not None:
            self._sender.close()

    def get_dependency(self, worker_ctx: Any) -> MailSender | None:
        """Return the sender."""
        return self._sender


class Mail:
    """Sends notifications, and answers `n.rpc.mail.send("name@email.com", "testing", "Just testing")`."""

    name = MAIL

    store = StoreProvider()
    sender = MailSenderProvider()

    @staticmethod
    def check(settings: Settings) -> None:
        """Raise SettingsRefused at the start for settings that could never send a mail; connect to nothing."""
        read_mail_from(settings.mail_from)
        MailServer.at(settings.smtp_url)
        if settings.mail_templates:
            check_templates(settings)

    @doorbell(ids=False)
    def ring(self, doorbells: DoorbellBatch) -> None:
        """Look for mails that are due."""
        doorbells.ack()
        self.tick()

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Look once a second as well, in case a doorbell was lost."""
        try:
            self.sender.look(self.store)
        except StoreUnavailable as fault:
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    @rpc
    def send(self, to: Any, subject: Any, contents: Any) -> str:
        """Send a mail and return its id; raise MailRefused.

        The mail is recorded before it is sent, so that it is sent even if this worker dies.
        """
        try:
            address = as_address(to if isinstance(to, str) else "")
        except ValueError as fault:
            raise MailRefused(f"{str(to)[:80]!r} {fault}.") from None
        require_allowed(address, self.store.settings.allowed_domains)
        letter_id = str(uuid4())
        self.store.store.add_letter(letter_id, address, _storable(subject), _storable(contents))
        self.tick()
        return letter_id


def _storable(text: Any) -> str:
    """Write a caller's value as text that the store takes: texts from JSON may contain lone surrogates."""
    return str(text).encode("utf-8", "replace").decode()
