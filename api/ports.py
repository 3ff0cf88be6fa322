"""What the API needs from the outside, as protocols, and the one object that holds it.

Stands around step 1 of a job's life: `errand.store.Store` and `api.relay.Relay` fit these, and so do the stubs of the
tests. Next: `accepting.py`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from flask import current_app

from errand.settings import Settings
from errand.store import NewJob

if TYPE_CHECKING:
    from api.catalogue import Catalogue


class JobStore(Protocol):
    """The store, as far as the API uses it; each call raises StoreUnavailable when it can't be reached."""

    def accept(self, job: NewJob) -> bool:
        """Store the job, all or nothing."""
        ...

    def get(self, job_id: str) -> dict[str, str] | None:
        """Give the job's record as text by field, or None."""
        ...

    def ping(self) -> None:
        """Return when the store answers."""
        ...

    def catalogue(self) -> dict[str, str]:
        """Give the published operations: name to JSON text of a `schemas.operations.Operation`."""
        ...


class Doorbells(Protocol):
    """The relay, as far as the API uses it."""

    @property
    def broker_up(self) -> bool:
        """Tell whether the broker took the last doorbell."""
        ...

    def ring(self, job_id: str, service: str) -> None:
        """Have the doorbell of `service` rung for the job; returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """What the views work with."""

    settings: Settings
    store: JobStore
    relay: Doorbells
    catalogue: "Catalogue"


def here() -> Errand:
    """Give the Errand of the app that answers this request."""
    return cast(Errand, current_app.extensions["errand"])
