"""Tracks how many more jobs of each weight this process can take.

`workers/compute/executor.py` registers the slots of its child processes here; `doorbell.py` consumes doorbells only
while enough of them are free.
"""

from typing import Protocol

from nameko.extensions import SharedExtension

from schemas.operations import Weight


class Slots(Protocol):
    """Slots for jobs of one weight, such as those of its child processes."""

    @property
    def slots(self) -> int:
        """The number of slots."""
        ...

    def free(self) -> int:
        """Return the number of free slots."""
        ...

    def wait_free(self, least: int, timeout: float) -> bool:
        """Wait until `least` slots are free; return False if they aren't within `timeout` seconds."""
        ...


class Capacity(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """The slots of one container by weight; a weight without registered slots is not limited."""

    def __init__(self) -> None:
        """Begin without limits."""
        super().__init__()
        self._slots: dict[Weight, Slots] = {}

    def offer(self, weight: Weight, slots: Slots) -> None:
        """Limit jobs of `weight` to `slots`."""
        self._slots[weight] = slots

    def slots(self, weight: Weight) -> Slots | None:
        """Return the slots for jobs of `weight`, or None if they aren't limited."""
        return self._slots.get(weight)
