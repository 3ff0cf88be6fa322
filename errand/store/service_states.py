"""Which services have a live worker, and how the services' own dependencies are. `GET /readyz` shows it.

Each worker process notes its services every few seconds; a service without a recent beat counts as down.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from errand.store.catalogue import SHOWN_SECONDS
from errand.store.redis_access.store_part import StorePart, fields_of


@dataclass(frozen=True, slots=True)
class ServiceStates:
    """`alive`: name of each service with a live worker to the state that it noted of its own dependency.

    `queues` are those in which jobs wait. `unknown` are operations of waiting jobs that no live worker publishes.
    """

    alive: Mapping[str, str]
    queues: list[str]
    unknown: list[str]


class ServiceStatesPart(StorePart):
    """The part of the store that knows which services are alive."""

    def note_services(self, states: Mapping[str, str]) -> None:
        """Note that this process runs these services now; the values are `up`, `down` or empty."""
        flat = [text for pair in states.items() for text in pair]
        if flat:
            self._run("service_states", int(SHOWN_SECONDS * 1000), *flat)

    def service_states(self) -> ServiceStates:
        """Return the services with a recent beat, and the waiting work that none of them may do."""
        alive, queues, unknown = self._run("service_states", int(SHOWN_SECONDS * 1000))
        return ServiceStates(fields_of(alive), sorted(queues), sorted(unknown))
