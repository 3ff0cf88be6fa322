"""When the store counts as away: what Redis answers then, and what becomes of those who ask meanwhile.

Stands under every step of a job's life, below `script_loader.py`: whatever counts as away here is a 503 for clients,
and patience for workers.
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
"""What a store that is down, full, loading or a mere replica answers: nothing was changed, try again later."""
PREFIXES: Final = ("MISCONF ", "NOREPLICAS ", "BUSY ", "UNKILLABLE ")
"""Answers of the same meaning for which redis-py has no class: a full disk, too few replicas, a script without end."""
WRONG_SERVER = (exceptions.ReadOnlyError, exceptions.ClusterDownError)
"""What a primary answers that became a replica: its address may belong to another server now."""

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
"""How long to wait for a connection to Redis, and for an answer, before it counts as down."""
HANGS_SECONDS: Final = 1.0
"""How long nobody is let near a Redis that didn't answer in time, before one asks it again."""


def refuse_if_away(client: redis.Redis, fault: redis.RedisError) -> None:
    """Raise StoreUnavailable if `fault` says that the store is away; any other is a fault of ours, for the caller."""
    if isinstance(fault, WRONG_SERVER):
        client.connection_pool.disconnect(inuse_connections=False)  # others leave theirs when they are told the same
    if isinstance(fault, UNAVAILABLE) or str(fault).startswith(PREFIXES):
        raise StoreUnavailable() from fault


class Availability:
    """Whether Redis answers: while it hangs, a few wait for it, and all others are told at once.

    Threads may share it. Without it everybody would wait in turn for as long as one answer may take.
    """

    def __init__(self) -> None:
        """Begin in good faith."""
        self._ask_at = 0.0  # 0: it answers

    def check(self) -> None:
        """Raise StoreUnavailable while Redis is known to hang; one after the other is let through to ask it again."""
        if self._ask_at:
            now = monotonic()
            if now < self._ask_at:
                raise StoreUnavailable("The job store doesn't answer, so nothing was accepted; try again shortly.")
            self._ask_at = now + CONNECT_SECONDS + ANSWER_SECONDS  # this one asks, and the others hear from it

    def answered(self) -> None:
        """Note that Redis answered."""
        self._ask_at = 0.0

    def failed(self, fault: BaseException | None) -> None:
        """Note why it failed: a refusal is an answer, too."""
        self._ask_at = monotonic() + HANGS_SECONDS if isinstance(fault, exceptions.TimeoutError) else 0.0
