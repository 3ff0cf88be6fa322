"""Announces the ends of jobs to the mail service and the webhooks service, over the broker.

`OperationService.conclude` calls it after each commit. Next: `workers/mail/service.py`.
"""

import logging
from collections.abc import Sequence

import eventlet

from errand.broker.messages import doorbell, job_finished
from errand.broker.publisher import Publisher
from errand.errors import BrokerUnavailable
from errand.store import Commit, Outcome
from schemas.operations import WEBHOOKS

log = logging.getLogger(__name__)

AWAY_SECONDS = 1.0
"""Pause after a failed announcement."""
MOST_MESSAGES = 500
"""Maximum messages to publish at once."""


class Announcer:
    """Publishes from a greenthread of its own, so that no commit waits for the broker."""

    def __init__(self, amqp_uri: str) -> None:
        """Announce on the broker at `amqp_uri`, which is connected to at the first announcement."""
        self._publisher = Publisher(amqp_uri)
        self._messages = eventlet.Queue()
        self._loop = eventlet.spawn(self._run)

    def announce(self, outcomes: Sequence[Outcome], commits: Sequence[Commit]) -> None:
        """Announce each outcome that was stored and has somebody to notify."""
        for outcome, commit in zip(outcomes, commits, strict=True):
            if commit.to_tell and commit.status:
                self._messages.put(job_finished(outcome.lease.id, commit.status.value))
            if WEBHOOKS in commit.to_tell:
                # a doorbell of its own, so that a job with only an e-mail address costs webhooks nothing
                self._messages.put(doorbell(WEBHOOKS, outcome.lease.id))

    def close(self) -> None:
        """Stop; the mail service finds in the store's outbox what was not announced."""
        self._loop.kill()
        self._publisher.close()

    def _run(self) -> None:
        while True:
            batch = [self._messages.get()]
            while not self._messages.empty() and len(batch) < MOST_MESSAGES:
                batch.append(self._messages.get())
            try:
                self._publisher.publish(batch)
            except BrokerUnavailable as fault:
                # the receivers also look in the store once a second, so an old announcement is of no use to them
                self._messages.queue.clear()
                log.warning("Ends of jobs are not announced: %s", fault, extra={"action": "announce_failed"})
                eventlet.sleep(AWAY_SECONDS)
            except Exception:
                log.exception("Announcing failed for an unexpected reason", extra={"action": "announce_fault"})
