"""How many more jobs of each weight this process can take: what its doorbells ask before they listen.

Stands between `doorbell.py`, which asks, and `workers/compute/executor.py`, whose child processes are the room.
"""

from typing import Protocol

from nameko.extensions import SharedExtension

from schemas.operations import Weight


class Slots(Protocol):
    """Places for jobs, as the child processes of one weight have them."""

    @property
    def slots(self) -> int:
        """How many there are."""
        ...

    def free(self) -> int:
        """Count those in which a job can be started now."""
        ...

    def wait_free(self, least: int, timeout: float) -> bool:
        """Wait until so many are free; False when they aren't within `timeout` seconds."""
        ...


class Capacity(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """The slots of one container, by weight; a weight nobody offered slots for has room without end."""

    def __init__(self) -> None:
        """Begin with nothing offered."""
        super().__init__()
        self._slots: dict[Weight, Slots] = {}

    def offer(self, weight: Weight, slots: Slots) -> None:
        """Have jobs of `weight` limited by `slots`."""
        self._slots[weight] = slots

    def slots(self, weight: Weight) -> Slots | None:
        """Give the slots for jobs of `weight`, None where they aren't limited."""
        return self._slots.get(weight)
