"""The post office: has what is due sent over a few connections, at least once, and marks it once.

Stands at step 6 of a job's life. `mail.py` says "look"; from then on this is the story of a mail: claimed, held while
it is sent, and written down. Next: `letters.py` writes the mail, `mailer.py` sends it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import eventlet
from eventlet.support.greenlets import GreenletExit

from errand.errors import MailDeferred, MailRefused, MailServerAway, StoreUnavailable
from errand.settings import Settings
from errand.store import Notice
from schemas.notices import NoticeKind, NoticeState
from workers.dependencies import WorkerStore
from workers.letters import compose
from workers.mail_server import SENDERS, Reach
from workers.mailer import Mailer

log = logging.getLogger(__name__)

LEASES = 3.0
"""A mail is its sender's for so many LEASE_SECONDS, renewed all the time: a mail that comes twice is worse than a late
one."""
WHOLE_PATIENCE = 15.0
"""How many MAIL_TIMEOUTs one mail may take, from connecting to the last answer, before it counts as deferred."""
LONGEST_PAUSE_SECONDS = 600.0
"""Pause between two tries to send one mail at most."""
LOOK_SECONDS = 0.05
"""Between two looks at whether the receipt of a job is out."""
ENDINGS = frozenset((NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED))
"""What is told of a job after its receipt."""
MARKING_SECONDS = 2.0
"""After the store was away nothing is claimed for so long: whoever sent something meanwhile marks it first. It is more
than the pause between two tries to."""


class PostOffice:
    """Sends what is due, each mail in a greenthread of its own, as many at a time as the mail server lets us."""

    def __init__(self, settings: Settings) -> None:
        """Send as the settings say; no connection is opened before the first mail."""
        self._settings = settings
        self._lease = LEASES * settings.lease_seconds
        self._senders = eventlet.GreenPool(SENDERS)
        self._server = Reach(settings.mail_pause)
        self._mailers: list[Mailer] = []
        self._store_away = self._closing = False
        self._rests_until = 0.0

    def look(self, store: WorkerStore) -> None:
        """Have what is due sent; it isn't waited for. Raises StoreUnavailable."""
        while self._mailers and not self._mailers[0].connected:
            self._mailers.pop(0).close()  # the one used longest ago comes first
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
        while self._mailers:
            self._mailers.pop().close()

    def _may_claim(self, store: WorkerStore) -> bool:
        if self._store_away:
            store.store.ping()
            self._store_away, self._rests_until = False, monotonic() + MARKING_SECONDS
        return not self._closing and monotonic() >= self._rests_until

    def _call_sender(self, store: WorkerStore) -> None:
        if self._senders.running() < self._server.senders():
            self._senders.spawn(self._send_all, store)

    def _send_all(self, store: WorkerStore) -> None:
        """Send one mail after the other while there are any, with the help of others."""
        try:
            while self._senders.running() <= self._server.senders() and self._may_claim(store):
                if not (claimed := store.store.collect(1, self._lease)):
                    return
                self._call_sender(store)
                self._send(store, claimed[0])
        except StoreUnavailable as fault:
            self._store_away = True
            log.warning("No mail this time: %s", fault, extra={"action": "mail_waits"})

    # the story of one mail
    def _send(self, store: WorkerStore, notice: Notice) -> None:
        try:
            with self._held(store, notice):
                self._let_receipt_go_first(store, notice)
                outcome = self._try(notice)
        except GreenletExit:
            with suppress(StoreUnavailable):
                store.store.settle(notice, NoticeState.PENDING, "The mail worker was stopped before this was taken.")
            raise
        self._settle(store, notice, *outcome)

    def _try(self, notice: Notice) -> tuple[NoticeState, str, float]:
        """Make one attempt; give its outcome, what the server said, and the pause before the next (s)."""
        fields = {"action": f"mail_{notice.kind.value}", "job_id": notice.id}
        whole = WHOLE_PATIENCE * self._settings.mail_timeout
        try:
            letter = compose(notice.kind, notice.record, self._settings)
            with self._mailer() as mailer, eventlet.Timeout(whole, MailDeferred("The mail server is too slow.")):
                mailer.send(letter)
        except MailServerAway as fault:
            log.warning("The mail server takes no mail: %s", fault, extra=fields)
            return self._put_off(notice, fault.detail, self._server.failed(busy=bool(fault.fields.get("busy"))))
        except (MailDeferred, MailRefused) as fault:
            self._server.answered()
            log.warning("Mail not taken: %s", fault, extra=fields)
            if isinstance(fault, MailRefused):
                return NoticeState.FAILED, fault.detail, 0.0
            return self._put_off(notice, fault.detail, self._pause_after(notice.attempt))
        except Exception as fault:
            # a mail that can't be written must not stop the others; it is tried again, as a new release may mend it
            log.exception("Mail could not be made", extra=fields)
            return self._put_off(notice, type(fault).__name__, self._pause_after(notice.attempt))
        self._server.answered()
        log.info("Mail sent", extra=fields)
        return NoticeState.SENT, "", 0.0

    def _put_off(self, notice: Notice, error: str, pause: float) -> tuple[NoticeState, str, float]:
        if notice.age > self._settings.mail_give_up * 1000:
            return NoticeState.FAILED, f"Given up after {self._settings.mail_give_up:g} s: {error}", 0.0
        return NoticeState.PENDING, error, pause

    def _pause_after(self, attempt: int) -> float:
        return min(self._settings.mail_pause * 2.0 ** min(attempt - 1, 30), LONGEST_PAUSE_SECONDS)

    def _settle(self, store: WorkerStore, notice: Notice, state: NoticeState, error: str, pause: float) -> None:
        try:
            marked = store.store.settle(notice, state, error, pause)
        except StoreUnavailable:
            self._store_away = True
            marked = store.settle(notice, state, error, pause)
        if not marked:
            log.warning("Another worker has this mail by now", extra={"action": "mail_stale", "job_id": notice.id})

    @contextmanager
    def _held(self, store: WorkerStore, notice: Notice) -> Iterator[None]:
        """Keep the lease for the time of a `with`; if it is lost all the same, this greenthread is ended."""
        holder = eventlet.spawn(self._hold, store, notice, eventlet.getcurrent())
        try:
            yield
        finally:
            holder.kill()

    def _hold(self, store: WorkerStore, notice: Notice, sender: Any) -> None:
        while True:
            eventlet.sleep(self._lease / 3)
            with suppress(StoreUnavailable):
                if not store.store.hold(notice, self._lease):
                    fields = {"action": "mail_stale", "job_id": notice.id}
                    log.warning("Another worker has this mail by now; not sent", extra=fields)
                    sender.kill()
                    return

    def _let_receipt_go_first(self, store: WorkerStore, notice: Notice) -> None:
        """Wait while the job's receipt is being sent, here or elsewhere, for the first time; MAIL_TIMEOUT at most."""
        patient_until = monotonic() + self._settings.mail_timeout
        record: Mapping[str, str] | None = notice.record
        while notice.kind in ENDINGS and record and _receipt_on_its_way(record) and monotonic() < patient_until:
            eventlet.sleep(LOOK_SECONDS)
            try:
                record = store.store.get(notice.id)
            except StoreUnavailable:
                return

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


def _receipt_on_its_way(record: Mapping[str, str]) -> bool:
    note = json.loads(record.get("note:mail:receipt", "{}"))
    return note.get("state") == NoticeState.PENDING and not note.get("last_error")
