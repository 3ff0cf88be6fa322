"""An operation that only waits, for `bench/sleepers.py`: loaded by its workers (`OPERATIONS`) and their children."""

import asyncio

from workers.operations.registry import operation

SECONDS = 0.1


@operation()
async def nap() -> None:
    """Wait as long as a remote service would take to answer."""
    await asyncio.sleep(SECONDS)
