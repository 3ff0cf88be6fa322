"""Claims webhooks that are due, sends many at a time, and records how each attempt ended.

Step 6 of a job's life; `service.py` wakes it. A slow or dead receiver uses only its share of the greenthreads, so it
delays no other. Next: `cloudevents.py` writes the event, `delivery_result.py` interprets the response.
"""

import logging
import random
from collections import Counter
from contextlib import suppress
from time import time
from typing import Final

import eventlet
from eventlet.queue import Full, Queue

from errand.errors import StoreUnavailable
from errand.settings import Settings
from errand.store import DueJobNotification
from errand.trust.signing import signatures
from schemas.notices import NoticeState
from workers.dependencies import WorkerStore
from workers.outbound.address_guard import AddressGuard, AddressRefused, HostUnknown, target
from workers.outbound.http import CertificateRefused
from workers.outbound.on_hub import post
from workers.webhooks.cloudevents import CONTENT_TYPE, LONGEST, event_id, event_of
from workers.webhooks.delivery_result import DeliveryResult, result_of

log = logging.getLogger(__name__)

AT_HAND: Final = 50
"""Webhooks that are being sent at a time."""
SHARE: Final = 10
"""How many of them to one receiver."""
MARGIN_SECONDS: Final = 5.0
"""How much longer than an attempt may take it is left to this process: if it dies, another sends it then."""
LINGER_SECONDS: Final = 0.02
"""Pause between two looks."""
MOST_ANSWERED: Final = 65_536
"""Bytes of an answer that are read; nothing in them counts."""
LONGEST_PAUSE_SECONDS: Final = 3600.0
"""Pause between two attempts at most, also where a receiver asks for more."""
USER_AGENT: Final = "Errand-Webhooks"


class WebhookSender:
    """Sends webhooks, from greenthreads of its own: whoever wakes it doesn't wait for it."""

    def __init__(self, store: WorkerStore, settings: Settings) -> None:
        """Begin to wait for `wake`."""
        self._store, self._settings = store, settings
        self._keys, self._guard = settings.webhook_keys, AddressGuard(settings.allowed_networks)
        self._lease = settings.webhook_timeout + MARGIN_SECONDS
        self._pool = eventlet.GreenPool(AT_HAND)
        self._at_hand: Counter[str] = Counter()
        self._bell = Queue(1)
        self._loop = eventlet.spawn(self._run)

    def wake(self) -> None:
        """Have it look for what is due; returns at once."""
        with suppress(Full):
            self._bell.put_nowait(None)

    def close(self) -> None:
        """End what is at hand, which takes as long as an attempt at most, and then stop."""
        self._loop.kill()
        with eventlet.Timeout(self._lease, exception=False):
            self._pool.waitall()

    def _run(self) -> None:
        while True:
            self._bell.get()
            try:
                self._look()
            except StoreUnavailable as fault:
                log.warning("No webhook this time: %s", fault, extra={"action": "webhooks_wait"})
            except Exception:
                log.exception("The courier met a fault it does not know", extra={"action": "webhooks_fault"})
            eventlet.sleep(LINGER_SECONDS)

    def _look(self) -> None:
        """Claim as much as there is room for, and have it sent."""
        while room := AT_HAND - self._pool.running():
            notices = self._store.store.collect_webhooks(room, self._lease, LONGEST, SHARE, self._at_hand)
            for notice in notices:
                self._at_hand[notice.receiver] += 1
                self._pool.spawn_n(self._serve, notice)
            if len(notices) < room:
                return

    # the story of one attempt: send, judge, write down
    def _serve(self, notice: DueJobNotification) -> None:
        fields = {"action": f"webhook_{notice.kind.value}", "job_id": notice.id}
        try:
            state, error, pause = self._judged(notice, self._attempt(notice, fields))
            if not self._store.settle(notice, state, error, pause):
                log.warning("Another worker has this webhook by now", extra=fields | {"action": "webhook_stale"})
            elif error:
                log.warning("Webhook %s: %s", state, error, extra=fields)
            else:
                log.info("Webhook sent", extra=fields)
        finally:
            self._at_hand -= Counter([notice.receiver])
            self.wake()

    def _attempt(self, notice: DueJobNotification, fields: dict[str, str]) -> DeliveryResult:
        """Send it once; raise nothing."""
        try:
            return self._send(notice)
        except AddressRefused as refusal:
            return DeliveryResult(refusal.detail, for_good=True)
        except (HostUnknown, CertificateRefused, ConnectionError, TimeoutError) as fault:
            return DeliveryResult(str(fault))
        except Exception as fault:
            # what can't be made must not stop the others; it is tried again, as a new release may mend it
            log.exception("Webhook could not be made", extra=fields)
            return DeliveryResult(type(fault).__name__)

    def _send(self, notice: DueJobNotification) -> DeliveryResult:
        if not self._keys:
            return DeliveryResult("WEBHOOK_SECRET is not set where the webhooks service runs, so nothing was sent.")
        body, now, seconds = event_of(notice, self._settings), int(time()), self._settings.webhook_timeout
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "webhook-id": event_id(notice),
            "webhook-timestamp": str(now),
            "webhook-signature": signatures(self._keys, event_id(notice), now, body),
        }
        there = target(notice.to)
        answer = post(there, headers=headers, body=body, seconds=seconds, most=MOST_ANSWERED, guarded_by=self._guard)
        return result_of(answer)

    def _judged(self, notice: DueJobNotification, reply: DeliveryResult) -> tuple[NoticeState, str, float]:
        """Tell what becomes of it: sent, failed, or to be sent again after a pause (s)."""
        settings, error = self._settings, reply.error
        if not error:
            return NoticeState.SENT, "", 0.0
        if reply.for_good:
            return NoticeState.FAILED, error, 0.0
        if notice.age > settings.webhook_give_up * 1000:
            return NoticeState.FAILED, f"{error} Given up after {settings.webhook_give_up:g} seconds.", 0.0
        pause = settings.webhook_pause * 2.0 ** min(notice.attempt - 1, 30)
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 -- to spread load, not to keep a secret
        return NoticeState.PENDING, error, min(max(pause, reply.retry_after), LONGEST_PAUSE_SECONDS)
