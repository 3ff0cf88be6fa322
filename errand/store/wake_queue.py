"""Whom the store wakes: a worker that found a queue empty is told of the next job in it by the script that lines it up.

Stands at step 2 of a job's life, ahead of the doorbell: a hint that may get lost, and costs a message only while
somebody is idle. Next: `workers/entrypoints/on_wake.py`, which listens.
"""

import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import redis

from errand.store.availability import refuse_if_away
from errand.store.base import StorePart
from errand.store.jobs import Lease


@dataclass(frozen=True, slots=True)
class Wake:
    """Which queue a worker is to look at, and the job that it was woken for, where that is offered to it."""

    queue: str
    offer: Lease | None


class WakeListener:
    """One connection that hears which queues a worker is to look at, for the time of a `with`."""

    def __init__(self, client: redis.Redis, channel: str) -> None:
        """Listen to `channel`; the connection is opened by the first `wait`, and anew whenever it is lost."""
        self._client, self._channel = client, channel
        self._subscription = cast(Any, client).pubsub(ignore_subscribe_messages=True)

    def __enter__(self) -> Self:
        """Give this."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hear no more."""
        self._subscription.close()

    def wait(self, seconds: float | None = None) -> Wake | None:
        """Give what this worker is woken for, or None after so long; raise StoreUnavailable.

        Without `seconds` it waits for as long as an answer of Redis may take, and doesn't look first whether there is
        anything: that look takes longer than the reading.
        """
        try:
            if not self._subscription.subscribed:
                self._subscription.subscribe(self._channel)
            message = self._subscription.get_message(timeout=seconds)
        except redis.TimeoutError:
            return None
        except redis.RedisError as fault:
            refuse_if_away(self._client, fault)
            raise
        return _wake(message["data"]) if message else None


def _wake(text: str) -> Wake:
    queue, *offer = json.loads(text)
    if not offer:
        return Wake(queue, None)
    job_id, operation, arguments, most = offer
    return Wake(queue, Lease(job_id, "", 1, operation, arguments, None, int(most)))


class WakePart(StorePart):
    """The side of the store that wakes workers."""

    def ear(self, worker: str) -> WakeListener:
        """Make what hears for the worker of this name, under which it claims."""
        return WakeListener(self._client, self._keys.wake(worker))
