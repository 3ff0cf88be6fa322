"""The operations of the jobs: one of every weight and every ending. Each execution is written to a file of its job.

Loaded by the workers of the run (`OPERATIONS`) and by their children. Next: `ledger.py`, which reads the files.
"""

import asyncio
import os
import time
from pathlib import Path

from schemas.requests import Number
from workers.operations import primes
from workers.operations.registry import operation

FOLDER = "CHAOS_EXECUTIONS"
"""Variable with the folder of those files."""


def executed(mark: str) -> int:
    """Write down that the job with this mark is being executed, and give how often it has been, this time included."""
    path = Path(os.environ[FOLDER], mark)
    entry = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    try:
        os.write(entry, b"%.3f\n" % time.time())
    finally:
        os.close(entry)
    return path.read_bytes().count(b"\n")


@operation(tiny=True)
def tally(mark: str, value: Number, other: Number) -> int | float:
    """Add two numbers, in the worker itself."""
    executed(mark)
    return value + other


@operation()
def sieve(mark: str, n: int) -> int:
    """Count primes, in a child process."""
    executed(mark)
    return primes.primes(n)


@operation()
def dwell(mark: str, seconds: float) -> str:
    """Hold a child process for some time, without work for the processor."""
    executed(mark)
    time.sleep(seconds)
    return "dwelt"


@operation()
async def nap(mark: str, seconds: float) -> str:
    """Wait, beside others in one child process."""
    executed(mark)
    await asyncio.sleep(seconds)
    return "rested"


@operation(retry_on=[ConnectionError], max_attempts=8, backoff=0.5)
def stumble(mark: str, times: int) -> str:
    """Fail so many times, each time so that another attempt may go better, then succeed."""
    if executed(mark) <= times:
        raise ConnectionResetError("stumbled")
    return "stood up"


@operation()
def doomed(mark: str) -> None:
    """Fail for good."""
    executed(mark)
    raise ValueError("doomed")
