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
from schemas.notifications import NoticeState
from workers.dependencies import WorkerStore
from workers.outbound.address_guard import AddressGuard, AddressRefused, HostUnknown, target
from workers.outbound.http import CertificateRefused
from workers.outbound.on_hub import post
from workers.stopping import STOP
from workers.webhooks.cloudevents import CONTENT_TYPE, LONGEST, event_id, event_of
from workers.webhooks.delivery_result import DeliveryResult, result_of

log = logging.getLogger(__name__)

MAX_IN_FLIGHT: Final = 50
"""Webhooks being sent at a time."""
MAX_PER_RECEIVER: Final = 10
"""Webhooks being sent at a time to one receiver."""
MARGIN_SECONDS: Final = 5.0
"""How much longer than its timeout an attempt is leased; after that another process may send the webhook."""
LINGER_SECONDS: Final = 0.02
"""Pause between two looks."""
MAX_RESPONSE_BYTES: Final = 65_536
"""Maximum bytes of a response's body that are read; they are ignored."""
LONGEST_PAUSE_SECONDS: Final = 3600.0
"""Maximum pause between two attempts, even if a receiver asks for a longer one."""
USER_AGENT: Final = "Errand-Webhooks"


class WebhookSender:
    """Sends due webhooks from its own greenthreads."""

    def __init__(self, store: WorkerStore, settings: Settings) -> None:
        """Start to wait for `wake`."""
        self._store, self._settings = store, settings
        self._keys, self._guard = settings.webhook_keys, AddressGuard(settings.allowed_networks)
        self._lease = settings.webhook_timeout + MARGIN_SECONDS
        self._pool = eventlet.GreenPool(MAX_IN_FLIGHT)
        self._in_flight: Counter[str] = Counter()
        self._bell = Queue(1)
        self._loop = eventlet.spawn(self._run)

    def wake(self) -> None:
        """Start a look for due webhooks; return at once."""
        with suppress(Full):
            self._bell.put_nowait(None)

    def close(self) -> None:
        """Claim nothing more; return when the current attempts have ended, within the time of one."""
        self._loop.kill()
        STOP.wait(lambda: not self._pool.running(), self._lease)

    def _run(self) -> None:
        while True:
            self._bell.get()
            try:
                self._look()
            except StoreUnavailable as fault:
                log.warning("No webhook this time: %s", fault, extra={"action": "webhooks_wait"})
            except Exception:
                log.exception("Unexpected fault while claiming webhooks", extra={"action": "webhooks_fault"})
            eventlet.sleep(LINGER_SECONDS)

    def _look(self) -> None:
        """Claim as many webhooks as may be in flight, and send each in a greenthread."""
        while room := MAX_IN_FLIGHT - self._pool.running():
            notices = self._store.store.claim_webhooks(room, self._lease, LONGEST, MAX_PER_RECEIVER, self._in_flight)
            for notice in notices:
                self._in_flight[notice.receiver] += 1
                self._pool.spawn_n(self._serve, notice)
            if len(notices) < room:
                return

    # one attempt: send, judge, record
    def _serve(self, notice: DueJobNotification) -> None:
        fields = {"action": f"webhook_{notice.kind.value}", "job_id": notice.id}
        try:
            state, error, pause = self._judged(notice, self._attempt(notice, fields))
            if not self._store.settle(notice, state, error, pause):
                log.warning("Another worker has claimed this webhook", extra=fields | {"action": "webhook_stale"})
            elif error:
                log.warning("Webhook %s: %s", state, error, extra=fields)
            else:
                log.info("Webhook sent", extra=fields)
        finally:
            self._in_flight -= Counter([notice.receiver])
            self.wake()

    def _attempt(self, notice: DueJobNotification, fields: dict[str, str]) -> DeliveryResult:
        """Send the webhook once; raise nothing."""
        try:
            return self._send(notice)
        except AddressRefused as refusal:
            return DeliveryResult(refusal.detail, for_good=True)
        except (HostUnknown, CertificateRefused, ConnectionError, TimeoutError) as fault:
            return DeliveryResult(str(fault))
        except Exception as fault:
            # a webhook that can't be written must not stop the others; it is retried, as a new release may fix it
            log.exception("A webhook could not be written", extra=fields)
            return DeliveryResult(type(fault).__name__)

    def _send(self, notice: DueJobNotification) -> DeliveryResult:
        if not self._keys:
            return DeliveryResult("WEBHOOK_SECRET is not set for the webhooks service, so nothing was sent.")
        body, now, seconds = event_of(notice, self._settings), int(time()), self._settings.webhook_timeout
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": USER_AGENT,
            "webhook-id": event_id(notice),
            "webhook-timestamp": str(now),
            "webhook-signature": signatures(self._keys, event_id(notice), now, body),
        }
        there = target(notice.to)
        answer = post(
            there, headers=headers, body=body, seconds=seconds, most=MAX_RESPONSE_BYTES, guarded_by=self._guard
        )
        return result_of(answer)

    def _judged(self, notice: DueJobNotification, result: DeliveryResult) -> tuple[NoticeState, str, float]:
        """Return the webhook's next state, the error, and the pause (s) before the next attempt."""
        settings, error = self._settings, result.error
        if not error:
            return NoticeState.SENT, "", 0.0
        if result.for_good:
            return NoticeState.FAILED, error, 0.0
        if notice.age > settings.webhook_give_up * 1000:
            return NoticeState.FAILED, f"{error} Given up after {settings.webhook_give_up:g} seconds.", 0.0
        pause = settings.webhook_pause * 2.0 ** min(notice.attempt - 1, 30)
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 -- spreads load; keeps no secret
        return NoticeState.PENDING, error, min(max(pause, result.retry_after), LONGEST_PAUSE_SECONDS)
