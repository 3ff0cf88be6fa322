"""The mail service: sends what is due, at least once, and marks it once.

Stands at step 6 of a job's life. The doorbell only says "look now": what is to be sent stands in the store's outbox,
committed together with the job's status, so a lost message delays a mail by a second and loses none.
Next: `sender.py`.
"""

import logging
from typing import Any
from uuid import uuid4

from nameko.extensions import DependencyProvider

from errand.errors import MailRefused, StoreUnavailable
from errand.settings import Settings
from errand.topology import MAIL
from schemas.address import as_address
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

    def setup(self) -> None:
        """Open the office."""
        self._office = MailSender(settings_of(self))

    def stop(self) -> None:
        """Close it, when what is at hand is sent."""
        self._office.close()

    def get_dependency(self, worker_ctx: Any) -> MailSender:
        """Give the office."""
        return self._office


class Mail:
    """Sends notifications, and answers `n.rpc.mail.send("name@email.com", "testing", "Just testing")`."""

    name = MAIL

    store = StoreProvider()
    office = MailSenderProvider()

    @staticmethod
    def check(settings: Settings) -> None:
        """Refuse at the start, with SettingsRefused, what could never send a mail; nothing is connected."""
        read_mail_from(settings.mail_from)
        MailServer.at(settings.smtp_url)
        if settings.mail_templates:
            check_templates(settings)

    @doorbell(ids=False)
    def ring(self, doorbells: DoorbellBatch) -> None:
        """Look now."""
        doorbells.ack()
        self.tick()

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Look once a second, whatever the broker did."""
        try:
            self.office.look(self.store)
        except StoreUnavailable as fault:
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    @rpc
    def send(self, to: Any, subject: Any, contents: Any) -> str:
        """Send a mail; give its id. Raises MailRefused.

        It is recorded first, so it is sent even if this worker dies.
        """
        try:
            address = as_address(to if isinstance(to, str) else "")
        except ValueError as fault:
            raise MailRefused(f"{str(to)[:80]!r} {fault}.") from None
        require_allowed(address, self.store.settings.mail_allowed)
        letter_id = str(uuid4())
        self.store.store.post(letter_id, address, _storable(subject), _storable(contents))
        self.tick()
        return letter_id


def _storable(text: Any) -> str:
    """Write what a caller sent as a text that the store takes: JSON may have halves of characters."""
    return str(text).encode("utf-8", "replace").decode()
