"""The operations of the test: those that leave most behind if something goes wrong.

The workers load this module (`OPERATIONS`) together with the shipped operations, and so do their children.
"""

import asyncio
import os
import time
from random import random

from workers.operations.registry import operation, progress


@operation()
def dwell(seconds: float) -> str:
    """Occupy a child process for some time without using the CPU."""
    time.sleep(seconds)
    return "dwelt"


@operation()
async def nap(seconds: float) -> str:
    """Wait, together with other jobs in one child process."""
    await asyncio.sleep(seconds)
    return "rested"


@operation()
def chat(lines: int) -> int:
    """Print lines, and report progress with each."""
    for number in range(lines):
        print(f"line {number + 1} of {lines}")
        progress((number + 1) / lines, f"line {number + 1}")
    return lines


@operation(retry_on=[ConnectionError], max_attempts=5, backoff=0.2)
def stumble() -> str:
    """Fail half of the time with an error that is retried."""
    if random() < 0.5:
        raise ConnectionResetError("stumbled")
    return "stood up"


@operation()
def doomed() -> None:
    """Fail permanently."""
    raise ValueError("doomed")


@operation(max_attempts=2, backoff=0.1)
def vanish() -> None:
    """End its process."""
    os._exit(1)
