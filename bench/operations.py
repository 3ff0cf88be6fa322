"""An operation that only waits, for `bench/sleepers.py`: loaded by its workers (`OPERATIONS`) and their children."""

import asyncio

from workers.operations.registry import operation

SECONDS = 0.1


@operation()
async def nap() -> None:
    """Wait for as long as something far away takes to answer."""
    await asyncio.sleep(SECONDS)
