"""Claims mails that are due, has each sent, and records how it ended.

A job comes from `service.py`, which says when to look. A mail goes out at least once and is recorded once. Next:
`delivery.py`, which makes one attempt to send a mail.
"""

import logging
from contextlib import suppress
from time import monotonic
from typing import Final

import eventlet
from eventlet.support.greenlets import GreenletExit

from errand.errors import StoreUnavailable
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeState
from workers.dependencies import WorkerStore
from workers.mail.delivery import Delivery, SendResult
from workers.mail.mail_lease import lease_held
from workers.mail.receipt_first import wait_for_receipt
from workers.mail.sending.server_health import MAX_SENDERS
from workers.stopping import STOP

log = logging.getLogger(__name__)

LEASES: Final = 3.0
"""How many LEASE_SECONDS the lease of a mail lasts. It is long, because a mail that comes twice is worse than a late
one."""
RECORDING_SECONDS: Final = 2.0
"""How long nothing is claimed once the store is back, so that workers record what they sent meanwhile. It is longer
than the pause between two tries to record."""


class MailSender:
    """Sends mails that are due, each in a greenthread of its own, as many at a time as the mail server allows."""

    def __init__(self, settings: Settings) -> None:
        """Send as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self._lease_seconds = LEASES * settings.lease_seconds
        self._senders = eventlet.GreenPool(MAX_SENDERS)
        self._delivery = Delivery(settings)
        self._links: SignedLinks | None = None
        self._store_away = self._closing = False
        self._rests_until = 0.0

    def look(self, store: WorkerStore) -> None:
        """Start to send what is due, without waiting for it. Raises StoreUnavailable."""
        self._delivery.close_unused()
        if self._may_claim(store):
            self._start_sender(store)

    @property
    def server_is_away(self) -> bool:
        """Whether the mail server took no mail when it was last tried."""
        return self._delivery.server.is_away

    def close(self) -> None:
        """Wait up to STOP_GRACE for the mails in progress, hand the others back, and close all connections."""
        self._closing = True
        STOP.wait(lambda: not self._senders.running(), self._settings.stop_grace)
        for sender in tuple(self._senders.coroutines_running):
            sender.kill()
        with eventlet.Timeout(1.0, exception=False):
            self._senders.waitall()
        self._delivery.close()

    def _may_claim(self, store: WorkerStore) -> bool:
        if self._store_away:
            store.store.ping()
            self._store_away, self._rests_until = False, monotonic() + RECORDING_SECONDS
        return not self._closing and monotonic() >= self._rests_until

    def _start_sender(self, store: WorkerStore) -> None:
        if self._senders.running() < self._delivery.server.senders():
            self._senders.spawn(self._send_all, store)

    def _send_all(self, store: WorkerStore) -> None:
        """Send one mail after the other until none is due; start another sender for each mail found."""
        try:
            while self._senders.running() <= self._delivery.server.senders() and self._may_claim(store):
                links = self._links_of(store)
                if not (claimed := store.store.claim_mails(1, self._lease_seconds)):
                    return
                self._start_sender(store)
                self._send(store, claimed[0], links)
        except StoreUnavailable as fault:
            self._store_away = True
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    def _links_of(self, store: WorkerStore) -> SignedLinks:
        self._links = self._links or SignedLinks(store.store.link_secret(), self._settings.base_url)
        return self._links

    def _send(self, store: WorkerStore, notice: DueNotification, links: SignedLinks) -> None:
        """Hold the lease of one mail, let its receipt go first, deliver it, record how that ended."""
        try:
            with lease_held(store, notice, self._lease_seconds):
                wait_for_receipt(store, notice, self._settings.mail_timeout)
                result = self._delivery.attempt(notice, links)
        except GreenletExit:
            with suppress(StoreUnavailable):
                store.store.settle(notice, NoticeState.PENDING, "The mail worker was stopped before this was taken.")
            raise
        self._record(store, notice, result)

    def _record(self, store: WorkerStore, notice: DueNotification, result: SendResult) -> None:
        ended = result.state, result.error, result.pause
        try:
            recorded = store.store.settle(notice, *ended)
        except StoreUnavailable:
            self._store_away = True
            recorded = store.settle(notice, *ended)
        if not recorded:
            log.warning("Another worker has this mail by now", extra={"action": "mail_stale", "job_id": notice.id})
