"""The webhooks service: reports the ends of jobs to their clients' webhooks, each at least once.

Step 6 of a job's life. A doorbell only says "look now"; due webhooks are in the store, committed together with the
job's status. Next: `sender.py`.
"""

from typing import Any

from nameko.extensions import DependencyProvider

from errand.store import Store
from schemas.operations import WEBHOOKS
from workers.dependencies import WorkerStore, settings_of
from workers.entrypoints.doorbell import DoorbellBatch, doorbell
from workers.entrypoints.timer import timer
from workers.webhooks.sender import WebhookSender


class WebhookSenderProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the container's WebhookSender."""

    def setup(self) -> None:
        """Make the sender; no connection is opened before its first look."""
        settings = settings_of(self)
        self._sender = WebhookSender(WorkerStore(Store.connect(settings), settings), settings)

    def stop(self) -> None:
        """Let the sender finish its current attempts."""
        self._sender.close()

    def get_dependency(self, worker_ctx: Any) -> WebhookSender:
        """Return the sender."""
        return self._sender


class Webhooks:
    """Sends due webhooks."""

    name = WEBHOOKS

    sender = WebhookSenderProvider()

    @doorbell(ids=False)
    def ring(self, doorbells: DoorbellBatch) -> None:
        """Look now."""
        doorbells.ack()
        self.sender.wake()

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Look once a second, whether or not a doorbell rang."""
        self.sender.wake()
