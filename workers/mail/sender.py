"""The post office: has what is due sent over a few connections, at least once, and marks it once.

Stands at step 6 of a job's life. `service.py` says "look"; from then on this is the story of a mail: claimed, held
while it is sent, and written down. Next: `delivery.py`, the attempt to send it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import eventlet
from eventlet.support.greenlets import GreenletExit

from errand.errors import StoreUnavailable
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.notices import NoticeKind, NoticeState
from workers.dependencies import WorkerStore
from workers.mail.delivery import Delivery, SendResult
from workers.mail.sending.server_health import SENDERS
from workers.mail.writing.message_ids import receipt_of

log = logging.getLogger(__name__)

LEASES = 3.0
"""A mail is its sender's for so many LEASE_SECONDS, renewed all the time: a mail that comes twice is worse than a late
one."""
LOOK_SECONDS = 0.05
"""Between two looks at whether the receipt of a job is out."""
ENDINGS = frozenset((NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED))
"""What is told of a job after its receipt."""
MARKING_SECONDS = 2.0
"""After the store was away nothing is claimed for so long: whoever sent something meanwhile marks it first. It is more
than the pause between two tries to."""


class MailSender:
    """Sends what is due, each mail in a greenthread of its own, as many at a time as the mail server lets us."""

    def __init__(self, settings: Settings) -> None:
        """Send as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self._lease = LEASES * settings.lease_seconds
        self._senders = eventlet.GreenPool(SENDERS)
        self._delivery = Delivery(settings)
        self._links: SignedLinks | None = None
        self._store_away = self._closing = False
        self._rests_until = 0.0

    def look(self, store: WorkerStore) -> None:
        """Have what is due sent; it isn't waited for. Raises StoreUnavailable."""
        self._delivery.close_unused()
        if self._may_claim(store):
            self._call_sender(store)

    def close(self) -> None:
        """Let the mails at hand be sent, for STOP_GRACE; what takes longer is handed back."""
        self._closing = True
        with eventlet.Timeout(self._settings.stop_grace, exception=False):
            self._senders.waitall()
        for sender in tuple(self._senders.coroutines_running):
            sender.kill()
        with eventlet.Timeout(1.0, exception=False):
            self._senders.waitall()
        self._delivery.close()

    def _may_claim(self, store: WorkerStore) -> bool:
        if self._store_away:
            store.store.ping()
            self._store_away, self._rests_until = False, monotonic() + MARKING_SECONDS
        return not self._closing and monotonic() >= self._rests_until

    def _call_sender(self, store: WorkerStore) -> None:
        if self._senders.running() < self._delivery.server.senders():
            self._senders.spawn(self._send_all, store)

    def _send_all(self, store: WorkerStore) -> None:
        """Send one mail after the other while there are any, with the help of others."""
        try:
            while self._senders.running() <= self._delivery.server.senders() and self._may_claim(store):
                links = self._links_of(store)
                if not (claimed := store.store.collect(1, self._lease)):
                    return
                self._call_sender(store)
                self._send(store, claimed[0], links)
        except StoreUnavailable as fault:
            self._store_away = True
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    def _links_of(self, store: WorkerStore) -> SignedLinks:
        self._links = self._links or SignedLinks(store.store.link_secret(), self._settings.base_url)
        return self._links

    # the story of one mail
    def _send(self, store: WorkerStore, notice: DueNotification, links: SignedLinks) -> None:
        try:
            with self._held(store, notice):
                self._let_receipt_go_first(store, notice)
                outcome = self._delivery.attempt(notice, links)
        except GreenletExit:
            with suppress(StoreUnavailable):
                store.store.settle(notice, NoticeState.PENDING, "The mail worker was stopped before this was taken.")
            raise
        self._settle(store, notice, outcome)

    def _settle(self, store: WorkerStore, notice: DueNotification, outcome: SendResult) -> None:
        ended = outcome.state, outcome.error, outcome.pause
        try:
            marked = store.store.settle(notice, *ended)
        except StoreUnavailable:
            self._store_away = True
            marked = store.settle(notice, *ended)
        if not marked:
            log.warning("Another worker has this mail by now", extra={"action": "mail_stale", "job_id": notice.id})

    @contextmanager
    def _held(self, store: WorkerStore, notice: DueNotification) -> Iterator[None]:
        """Keep the lease for the time of a `with`; if it is lost all the same, this greenthread is ended."""
        holder = eventlet.spawn(self._hold, store, notice, eventlet.getcurrent())
        try:
            yield
        finally:
            holder.kill()

    def _hold(self, store: WorkerStore, notice: DueNotification, sender: Any) -> None:
        while True:
            eventlet.sleep(self._lease / 3)
            with suppress(StoreUnavailable):
                if not store.store.hold(notice, self._lease):
                    fields = {"action": "mail_stale", "job_id": notice.id}
                    log.warning("Another worker has this mail by now; not sent", extra=fields)
                    sender.kill()
                    return

    def _let_receipt_go_first(self, store: WorkerStore, notice: DueNotification) -> None:
        """Wait while the receipt to the same person is sent for the first time, anywhere; MAIL_TIMEOUT at most."""
        patient_until = monotonic() + self._settings.mail_timeout
        record: Mapping[str, str] | None = notice.record
        receipt = f"note:mail:{receipt_of(notice.name)}"
        while notice.kind in ENDINGS and record and _on_its_way(record, receipt) and monotonic() < patient_until:
            eventlet.sleep(LOOK_SECONDS)
            try:
                record = store.store.get(notice.id)
            except StoreUnavailable:
                return


def _on_its_way(record: Mapping[str, str], name: str) -> bool:
    note = json.loads(record.get(name, "{}"))
    return note.get("state") == NoticeState.PENDING and not note.get("last_error")
