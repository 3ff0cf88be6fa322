"""Operations of the soak: those whose endings leave most behind them, where something could be left behind.

Loaded by the workers of the run (`OPERATIONS`) and by their children, beside the operations that are shipped.
"""

import asyncio
import os
import time
from random import random

from workers.operations.registry import operation, progress


@operation()
def dwell(seconds: float) -> str:
    """Hold a child process for some time, without work for the processor."""
    time.sleep(seconds)
    return "dwelt"


@operation()
async def nap(seconds: float) -> str:
    """Wait, beside others in one child process."""
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
    """Fail every other time, so that another attempt may go better."""
    if random() < 0.5:
        raise ConnectionResetError("stumbled")
    return "stood up"


@operation()
def doomed() -> None:
    """Fail for good."""
    raise ValueError("doomed")


@operation(max_attempts=2, backoff=0.1)
def vanish() -> None:
    """Take its process with it."""
    os._exit(1)
