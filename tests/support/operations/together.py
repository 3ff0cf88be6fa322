"""Operations that run beside many others in one child process."""

import asyncio
import logging
import os
import time
from contextvars import ContextVar
from typing import Any

from workers.operations.registry import operation, progress


@operation()
async def rest(seconds: float, name: str = "") -> dict[str, Any]:
    """Wait, and say so in its own log."""
    print(f"{name} rests")
    progress(0.5, name)
    await asyncio.sleep(seconds)
    logging.getLogger(name).info("%s rose", name)
    await asyncio.to_thread(print, f"{name} speaks from a thread")
    return {"name": name, "pid": os.getpid()}


_beside: set[int] = set()
_visitor: ContextVar[str | None] = ContextVar("visitor", default=None)


@operation()
async def count(seconds: float) -> int:
    """Wait, and tell how many at most were at it at a time."""
    me = id(asyncio.current_task())
    _beside.add(me)
    most = len(_beside)
    await asyncio.sleep(seconds)
    most = max(most, len(_beside))
    _beside.discard(me)
    return most


@operation()
async def sign(name: str) -> str | None:
    """Leave a name in the context, and give the one that was there."""
    before = _visitor.get()
    _visitor.set(name)
    return before


@operation()
async def block() -> None:
    """Hold up the loop for good."""
    print("blocking")
    while True:
        time.sleep(1)  # noqa: ASYNC251 -- that it blocks is the point


@operation()
async def refuse_to_go() -> None:
    """Wait on, whoever cancels it."""
    print("here to stay")
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("no")


@operation(retry_on=[ConnectionError])
async def break_off(kind: str) -> None:
    """Raise something, here or in a task of its own."""
    match kind:
        case "connection":
            raise ConnectionResetError("the line is dead")
        case "exit":
            raise SystemExit(4)
        case "task":
            await asyncio.gather(asyncio.create_task(_exit()))
        case "itself":
            asyncio.current_task().cancel()
        case "memory":
            raise MemoryError


@operation()
async def crash() -> None:
    """Take the whole process down."""
    os._exit(5)


@operation()
async def devour() -> None:
    """Take all the memory there is, politely."""
    plate = []
    while True:
        plate.append(b"x" * 2**22)
        await asyncio.sleep(0.01)


async def _exit() -> None:
    raise SystemExit(4)
