"""Operations that are declared tiny and shouldn't be: they take their worker down, or hold it up for ever."""

import os
import signal

from workers.operations.registry import operation


@operation(tiny=True)
def perish() -> None:
    """End the process it runs in."""
    os.kill(os.getpid(), signal.SIGKILL)


@operation(tiny=True)
def spin() -> None:
    """Never end, and let nobody else do anything."""
    while True:
        pass
