"""The webhooks service: tells the ends of jobs to addresses of their clients, at least once, and marks each once.

Stands at step 6 of a job's life, beside `workers/mail/service.py`. The doorbell only says "look now": what is to be
sent stands in the store, committed together with the job's status. Next: `sender.py`.
"""

from typing import Any

from nameko.extensions import DependencyProvider

from errand.store import Store
from errand.topology import WEBHOOKS
from workers.dependencies import WorkerStore, settings_of
from workers.entrypoints.doorbell import DoorbellBatch, doorbell
from workers.entrypoints.timer import timer
from workers.webhooks.sender import WebhookSender


class WebhookSenderProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the container's WebhookSender."""

    def setup(self) -> None:
        """Make the courier; no connection is opened before its first look."""
        settings = settings_of(self)
        self._courier = WebhookSender(WorkerStore(Store.connect(settings), settings), settings)

    def stop(self) -> None:
        """Let it end what it is at."""
        self._courier.close()

    def get_dependency(self, worker_ctx: Any) -> WebhookSender:
        """Give the courier."""
        return self._courier


class Webhooks:
    """Sends what is due to webhooks."""

    name = WEBHOOKS

    courier = WebhookSenderProvider()

    @doorbell(ids=False)
    def ring(self, doorbells: DoorbellBatch) -> None:
        """Look now."""
        doorbells.ack()
        self.courier.wake()

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Look once a second, whatever the broker did."""
        self.courier.wake()
