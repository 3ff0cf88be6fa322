"""Decides when the store counts as unavailable, from what Redis answers, and spares callers from waiting for it.

An unavailable store is a 503 for clients and a reason to try again for workers. Used by `script_loader.py`.
"""

from time import monotonic
from typing import Final

import redis
from redis import exceptions

from errand.errors import StoreUnavailable

UNAVAILABLE = (
    exceptions.ConnectionError,  # also LOADING, NOAUTH, WRONGPASS and "max number of clients reached"
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.NoPermissionError,
    exceptions.ClusterDownError,  # also MASTERDOWN
    exceptions.TryAgainError,
    exceptions.AskError,  # also MOVED: slots are being moved, or this is a cluster
)
"""Answers of a store that is down, full, loading or a replica: nothing was changed, and a later try may succeed."""
PREFIXES: Final = ("MISCONF ", "NOREPLICAS ", "BUSY ", "UNKILLABLE ")
"""Such answers for which redis-py has no class: a full disk, too few replicas, a script that does not end."""
WRONG_SERVER = (exceptions.ReadOnlyError, exceptions.ClusterDownError)
"""Answers of a primary that has become a replica: its address may belong to another server now."""

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
"""Seconds to wait for a connection to Redis, and for an answer, before it counts as down."""
HANGS_SECONDS: Final = 1.0
"""Seconds without any call to a Redis that did not answer in time; then one caller tries it again."""


def refuse_if_away(client: redis.Redis, fault: redis.RedisError) -> None:
    """Raise StoreUnavailable if `fault` means that the store is unavailable; any other fault is the caller's."""
    if isinstance(fault, WRONG_SERVER):
        client.connection_pool.disconnect(inuse_connections=False)  # the others go when they get the same answer
    if isinstance(fault, UNAVAILABLE) or str(fault).startswith(PREFIXES):
        raise StoreUnavailable() from fault


class Availability:
    """Whether Redis answers: while it hangs, one caller at a time tries it, and all others fail at once.

    Threads may share it. Without it, each caller would wait in turn for as long as one answer may take.
    """

    def __init__(self) -> None:
        """Assume that Redis answers."""
        self._ask_at = 0.0  # 0: it answers

    def check(self) -> None:
        """Raise StoreUnavailable while Redis is known to hang; let one caller at a time through to try it again."""
        if self._ask_at:
            now = monotonic()
            if now < self._ask_at:
                raise StoreUnavailable("The job store doesn't answer, so nothing was accepted; try again shortly.")
            self._ask_at = now + CONNECT_SECONDS + ANSWER_SECONDS  # this caller tries; the others go by its result

    def answered(self) -> None:
        """Note that Redis answered."""
        self._ask_at = 0.0

    def failed(self, fault: BaseException | None) -> None:
        """Note why a call failed: a refusal is an answer, too."""
        self._ask_at = monotonic() + HANGS_SECONDS if isinstance(fault, exceptions.TimeoutError) else 0.0
