"""Waiting until a condition becomes true, by asking for it again and again."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


class NeverHappened(Exception):
    """The condition did not become true in time."""


def until(happened: Callable[[], Answer | None], seconds: float, what: str, pause: float = 0.05) -> Answer:
    """Call `happened` every `pause` seconds until its answer is true, and return that answer.

    Raises NeverHappened after `seconds`; its message names `what`.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise NeverHappened(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
