"""Wakes workers: a worker that found a queue empty hears of the next job from the script that puts it there.

A wake comes before the doorbell. It may get lost, and costs a message only while a worker is idle. Next:
`workers/entrypoints/on_wake.py`, which listens.
"""

import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import redis

from errand.store.jobs import Lease
from errand.store.redis_access.availability import refuse_if_away
from errand.store.redis_access.store_part import StorePart


@dataclass(frozen=True, slots=True)
class Wake:
    """The queue that a worker should look at, and the job for which it was woken, if that is offered to it."""

    queue: str
    offer: Lease | None


class WakeListener:
    """A connection that receives the wakes of one worker, used in a `with`."""

    def __init__(self, client: redis.Redis, channel: str) -> None:
        """Listen to `channel`; the first `wait` opens the connection, and later ones reopen it when it is lost."""
        self._client, self._channel = client, channel
        self._subscription = cast(Any, client).pubsub(ignore_subscribe_messages=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._subscription.close()

    def wait(self, seconds: float | None = None) -> Wake | None:
        """Return the next wake, or None after `seconds`. Raises StoreUnavailable.

        Without `seconds` it waits for as long as an answer of Redis may take, and reads at once: checking first whether
        there is anything to read takes longer than reading.
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
    """The part of the store that wakes workers."""

    def ear(self, worker: str) -> WakeListener:
        """Make a listener for the worker of this name, under which it claims."""
        return WakeListener(self._client, self._keys.wake(worker))
