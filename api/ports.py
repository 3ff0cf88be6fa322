"""What the API needs from the outside, as protocols: a store and a relay for doorbells.

`errand.store.Store` and `api.doorbells.relay.Relay` implement them; tests use a relay that rings nothing.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from errand.record import JobRecord
from errand.store import (
    AcceptResult,
    ControlResult,
    Counts,
    Event,
    NewJob,
    Page,
    ScheduleDefinition,
    ServiceStates,
    Snapshot,
    StoredSchedule,
)
from errand.store.schedules import ANY_STATE, Deleted, Stored


class EventStore(Protocol):
    """The part of the store that has events; each call raises StoreUnavailable."""

    def first_event(self) -> str | None:
        """Return the number of the oldest event that is still kept, or None."""
        ...

    def last_event(self) -> str:
        """Return the number of the latest event; `0-0` when there has been none."""
        ...

    def snapshot(self, job_id: str) -> Snapshot:
        """Return a job's state and the range of events that are kept, at one moment."""
        ...

    def events_after(self, last: str, block_ms: int, most: int) -> list[Event]:
        """Wait up to `block_ms` for events after `last`; return up to `most` of them."""
        ...

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        """Return up to `most` events after `after`, up to and including `upto`."""
        ...


class ScheduleStore(Protocol):
    """The part of the store that has schedules; each call raises StoreUnavailable."""

    def now(self) -> int:
        """Return the store's time in ms since 1970."""
        ...

    def put_schedule(
        self, name: str, definition: ScheduleDefinition, upcoming: Sequence[int], *, seen: str = ANY_STATE
    ) -> tuple[Stored, StoredSchedule | None]:
        """Store a schedule if it has the state `seen`; return the outcome and its record."""
        ...

    def schedule(self, name: str) -> StoredSchedule | None:
        """Return a schedule, or None."""
        ...

    def schedules(self) -> list[StoredSchedule]:
        """Return all schedules in the order of their names."""
        ...

    def delete_schedule(self, name: str, seen: str = ANY_STATE) -> Deleted:
        """Delete a schedule if it has the state `seen`; return the outcome."""
        ...


class AddressStore(Protocol):
    """The part of the store that knows unsubscribed addresses; each call raises StoreUnavailable."""

    def unsubscribe(self, address: str) -> bool:
        """Send no more mails to an address; return whether that is new."""
        ...

    def resubscribe(self, address: str) -> bool:
        """Send mails to an address again; return whether that is new."""
        ...

    def is_unsubscribed(self, address: str) -> bool:
        """Return whether an address has unsubscribed."""
        ...

    def link_secret(self) -> bytes:
        """Return the secret that signs the links in mails."""
        ...


class JobStore(ScheduleStore, EventStore, AddressStore, Protocol):
    """The store as the API uses it; each call raises StoreUnavailable when it can't be reached."""

    def accept(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store the jobs of one request, all or none; return a result for each."""
        ...

    def accept_each(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store jobs of different requests: only a job whose own key conflicts is refused."""
        ...

    def begin_accept_each(self, jobs: Sequence[NewJob]) -> Callable[[], list[AcceptResult]]:
        """Send the same request without waiting; the function returned waits for the answer. Call it once."""
        ...

    def get(self, job_id: str) -> JobRecord | None:
        """Return the job's record, or None."""
        ...

    def log(self, job_id: str) -> list[str]:
        """Return the last lines of the job's log."""
        ...

    def accept_replays(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store the replays of jobs that have ended and were not replayed before; return a result for each."""
        ...

    def page(
        self,
        status: str | None = None,
        operation: str | None = None,
        tag: str | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return a page of jobs, the newest first."""
        ...

    def cancel(self, job_id: str, seen: str = "") -> ControlResult:
        """Cancel a job if it has the state `seen` ("": any)."""
        ...

    def retry(self, job_id: str, seen: str = "") -> ControlResult:
        """Run a failed or cancelled job again if it has the state `seen` ("": any)."""
        ...

    def page_of_oldest(
        self,
        status: str | None = None,
        operation: str | None = None,
        tag: str | None = None,
        *,
        upto: int,
        after: int = 0,
        limit: int = 50,
        fields: Sequence[str] = (),
        unhandled: bool = False,
    ) -> Page:
        """Return a page of jobs, the oldest first: those after position `after`, up to `upto`."""
        ...

    def newest_place(self) -> int:
        """Return the position of the newest job in the order of creation."""
        ...

    def retry_these(self, job_ids: Sequence[str], *, unhandled: bool = False) -> list[ControlResult]:
        """Run several failed or cancelled jobs again in one step."""
        ...

    def retry_notifications(self, job_id: str) -> ControlResult:
        """Send failed and waiting notifications of a job now."""
        ...

    def delete(self, job_id: str, seen: str = "") -> ControlResult:
        """Remove a finished job if it has the state `seen` ("": any)."""
        ...

    def counts(self) -> Counts:
        """Return the counts behind the metrics."""
        ...

    def service_states(self) -> ServiceStates:
        """Return the services with a live worker, and waiting work that none of them may do."""
        ...

    def catalogue(self) -> dict[str, str]:
        """Return the published operations: name to JSON text of a `schemas.operations.Operation`."""
        ...


class DoorbellRelay(Protocol):
    """The relay as the API uses it."""

    @property
    def broker_up(self) -> bool:
        """Return whether the broker took the last doorbell."""
        ...

    def ring(self, job_id: str, queue: str) -> None:
        """Ring the doorbell of `queue` for the job, soon; return at once."""
        ...
