"""The operations of the test: one for each weight and each outcome. Each execution is appended to a file of its job.

The workers load this module (`OPERATIONS`), and so do their children. `ledger.py` reads the files.
"""

import asyncio
import os
import time
from pathlib import Path

from schemas.requests import Number
from workers.operations import primes
from workers.operations.registry import operation

FOLDER = "CHAOS_EXECUTIONS"
"""Environment variable with the folder of those files."""


def executed(mark: str) -> int:
    """Record an execution of the job with this mark; return the number of its executions so far."""
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
    """Occupy a child process for some time without using the CPU."""
    executed(mark)
    time.sleep(seconds)
    return "dwelt"


@operation()
async def nap(mark: str, seconds: float) -> str:
    """Wait, together with other jobs in one child process."""
    executed(mark)
    await asyncio.sleep(seconds)
    return "rested"


@operation(retry_on=[ConnectionError], max_attempts=8, backoff=0.5)
def stumble(mark: str, times: int) -> str:
    """Fail `times` times with an error that is retried, then succeed."""
    if executed(mark) <= times:
        raise ConnectionResetError("stumbled")
    return "stood up"


@operation()
def doomed(mark: str) -> None:
    """Fail permanently."""
    executed(mark)
    raise ValueError("doomed")
