"""Keeps the lease of a mail while it is sent, so that no other worker sends it too. Used by `sender.py`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import eventlet

from errand.errors import StoreUnavailable
from errand.store import DueNotification
from workers.dependencies import WorkerStore

log = logging.getLogger(__name__)


@contextmanager
def lease_held(store: WorkerStore, notice: DueNotification, seconds: float) -> Iterator[None]:
    """Renew the lease for the time of a `with`. If it is lost all the same, this greenthread is killed."""
    keeper = eventlet.spawn(_keep, store, notice, seconds, eventlet.getcurrent())
    try:
        yield
    finally:
        keeper.kill()


def _keep(store: WorkerStore, notice: DueNotification, seconds: float, sender: Any) -> None:
    while True:
        eventlet.sleep(seconds / 3)
        with suppress(StoreUnavailable):
            if not store.store.hold(notice, seconds):
                fields = {"action": "mail_stale", "job_id": notice.id}
                log.warning("Another worker has this mail by now; not sent", extra=fields)
                sender.kill()
                return
