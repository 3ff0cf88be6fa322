"""The mail service: sends what is due, at least once, and marks it once.

Stands at step 6 of a job's life. The doorbell only says "look now": what is to be sent stands in the store's outbox,
committed together with the job's status, so a lost message delays a mail by a second and loses none.
Next: `letters.py` writes the mail, `mailer.py` sends it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, time
from typing import Any
from uuid import uuid4

import eventlet
from nameko.extensions import DependencyProvider
from nameko.timer import timer

from errand.errors import MailDeferred, MailRefused, StoreUnavailable
from errand.settings import Settings
from errand.store import Notice
from errand.topology import MAIL
from schemas.address import is_address
from schemas.notices import NoticeState
from workers.dependencies import StoreProvider, WorkerStore, settings_of
from workers.entrypoints.doorbell import Doorbells, doorbell
from workers.entrypoints.rpc import rpc
from workers.letters import compose
from workers.mailer import Mailer

log = logging.getLogger(__name__)

SENDERS = 4
"""Connections to the mail server at most, each in a greenthread of its own."""
BATCH = 2
"""Notifications one sender claims at once."""
MAIL_SECONDS = 12.0
"""How long one mail may take, from connecting to the server's answer, before it counts as deferred."""
LEASE_SECONDS = 30.0
"""How long a claimed notification is left to its sender: more than its batch can take, so nobody else sends it too."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 600.0
"""Pause before the second attempt, doubled for each further one, up to the longest."""
GIVE_UP_SECONDS = 86_400.0
"""How long a mail is tried before it counts as refused."""


class PostOffice:
    """Sends what is due over a few connections to the mail server."""

    def __init__(self, settings: Settings) -> None:
        """Send as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self._pool = eventlet.GreenPool(SENDERS)
        self._mailers: list[Mailer] = []

    def deliver(self, store: WorkerStore) -> None:
        """Send everything that is due now; raise StoreUnavailable."""
        if self._send_some(store):
            others = [self._pool.spawn(self._drain, store) for _ in range(SENDERS)]
            for other in others:
                other.wait()

    def close(self) -> None:
        """Close the connections."""
        while self._mailers:
            self._mailers.pop().close()

    def _drain(self, store: WorkerStore) -> None:
        while self._send_some(store):
            pass

    def _send_some(self, store: WorkerStore) -> bool:
        """Claim a few notifications and send them at once; False when nothing was due."""
        claimed_at = monotonic()
        notices = store.store.collect(BATCH, LEASE_SECONDS)
        for notice in notices:
            # a sender that was held up leaves the rest to whoever claims it next, lest both send it
            if monotonic() - claimed_at < LEASE_SECONDS - MAIL_SECONDS:
                self._send(store, notice)
        return bool(notices)

    def _send(self, store: WorkerStore, notice: Notice) -> None:
        """Make one attempt, and write down how it ended."""
        fields = {"action": f"mail_{notice.kind.value}", "job_id": notice.id}
        try:
            letter = compose(notice.kind, notice.record, self._settings)
            with self._mailer() as mailer, eventlet.Timeout(MAIL_SECONDS, MailDeferred("The mail server is too slow.")):
                mailer.send(letter)
        except MailDeferred as fault:
            tired = time() * 1000 - notice.since > GIVE_UP_SECONDS * 1000
            log.warning("Mail deferred: %s", fault, extra=fields)
            self._settle(store, notice, NoticeState.FAILED if tired else NoticeState.PENDING, fault.detail)
        except MailRefused as fault:
            log.warning("Mail refused: %s", fault, extra=fields)
            self._settle(store, notice, NoticeState.FAILED, fault.detail)
        except Exception as fault:
            # a mail that can't be written must not stop the others; it is tried again, as a new release may mend it
            log.exception("Mail could not be made", extra=fields)
            self._settle(store, notice, NoticeState.PENDING, type(fault).__name__)
        else:
            log.info("Mail sent", extra=fields)
            self._settle(store, notice, NoticeState.SENT)

    def _settle(self, store: WorkerStore, notice: Notice, state: NoticeState, error: str = "") -> None:
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(notice.attempt - 1, 30), LONGEST_PAUSE_SECONDS)
        store.settle(notice, state, error, pause)

    @contextmanager
    def _mailer(self) -> Iterator[Mailer]:
        """Lend an idle mailer, or a new one: a Mailer serves one greenthread at a time."""
        settings = self._settings
        mailer = self._mailers.pop() if self._mailers else Mailer(settings.smtp_url, settings.mail_from)
        try:
            yield mailer
        finally:
            self._mailers.append(mailer)


class PostOfficeProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the container's PostOffice."""

    def setup(self) -> None:
        """Open the office."""
        self._office = PostOffice(settings_of(self))

    def stop(self) -> None:
        """Close its connections."""
        self._office.close()

    def get_dependency(self, worker_ctx: Any) -> PostOffice:
        """Give the office."""
        return self._office


class Mail:
    """Sends notifications, and answers `n.rpc.mail.send("name@email.com", "testing", "Just testing")`."""

    name = MAIL

    store = StoreProvider()
    office = PostOfficeProvider()

    @staticmethod
    def check(settings: Settings) -> None:
        """Refuse at the start, with SettingsRefused, what could never send a mail; nothing is connected."""
        Mailer(settings.smtp_url, settings.mail_from).close()

    @doorbell(ids=False)
    def ring(self, doorbells: Doorbells) -> None:
        """Look now."""
        doorbells.ack()
        self.tick()

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Look once a second, whatever the broker did."""
        try:
            self.office.deliver(self.store)
        except StoreUnavailable as fault:
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    @rpc
    def send(self, to: str, subject: str, contents: str) -> str:
        """Send a mail; give its id. Raises MailRefused.

        It is recorded first, so it is sent even if this worker dies.
        """
        if not is_address(to):
            raise MailRefused(f"{to!r} is not a mail address; write it as name@example.com.")
        letter_id = str(uuid4())
        self.store.store.post(letter_id, to, str(subject), str(contents))
        self.tick()
        return letter_id
