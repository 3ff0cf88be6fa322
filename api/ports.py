"""What the API needs from the outside, as protocols, and the one object that holds it.

Stands around step 1 of a job's life: `errand.store.Store` and `api.doorbells.relay.Relay` fit these, and so does the
relay of the tests, which rings nothing. Next: `api/jobs/submit.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from errand.store import AcceptResult, ControlResult, Counts, Event, NewJob, Page, StoredSchedule
from errand.store.schedules import Stored


class EventStore(Protocol):
    """The store, as far as it tells of events; each call raises StoreUnavailable."""

    def first_event(self) -> str | None:
        """Give the number of the oldest event that is still there."""
        ...

    def last_event(self) -> str:
        """Give the number of the latest event, `0-0` when there was none."""
        ...

    def events_after(self, last: str, block_ms: int, most: int) -> list[Event]:
        """Wait for events after `last`."""
        ...

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        """Give events after `after`, up to `upto` itself."""
        ...


class ScheduleStore(Protocol):
    """The schedules' side of the store; each call raises StoreUnavailable when it can't be reached."""

    def now(self) -> int:
        """Tell the store's time (ms)."""
        ...

    def put_schedule(
        self, name: str, fields: Mapping[str, str], upcoming: Sequence[int]
    ) -> tuple[Stored, dict[str, str]]:
        """Store a schedule; give what became of it, and its record."""
        ...

    def schedule(self, name: str) -> StoredSchedule | None:
        """Give a schedule, or None."""
        ...

    def schedules(self) -> list[StoredSchedule]:
        """Give all schedules, by name."""
        ...

    def delete_schedule(self, name: str) -> bool:
        """Forget a schedule; False when there was none."""
        ...


class AddressStore(Protocol):
    """The addresses' side of the store; each call raises StoreUnavailable when it can't be reached."""

    def unsubscribe(self, address: str) -> bool:
        """Send no more mails to an address."""
        ...

    def resubscribe(self, address: str) -> bool:
        """Send mails to an address again."""
        ...

    def is_unsubscribed(self, address: str) -> bool:
        """Tell whether no mails are sent to an address."""
        ...

    def link_secret(self) -> bytes:
        """Give what the links in mails are signed with."""
        ...


class JobStore(ScheduleStore, EventStore, AddressStore, Protocol):
    """The store, as far as the API uses it; each call raises StoreUnavailable when it can't be reached."""

    def accept(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store the jobs, all or nothing."""
        ...

    def begin_accept(self, jobs: Sequence[NewJob]) -> Callable[[], list[AcceptResult]]:
        """Ask for the same, and give what waits for the answer: to be called once."""
        ...

    def get(self, job_id: str) -> dict[str, str] | None:
        """Give the job's record as text by field, or None."""
        ...

    def log(self, job_id: str) -> list[str]:
        """Give the last lines of the job's log."""
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
        """Give a page of jobs, the newest first."""
        ...

    def cancel(self, job_id: str, result_ttl: int) -> ControlResult:
        """Call a job off."""
        ...

    def retry(self, job_id: str) -> ControlResult:
        """Run a failed or cancelled job again."""
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
    ) -> Page:
        """Give a page of jobs, the oldest first, from behind one place up to another."""
        ...

    def newest_place(self) -> int:
        """Give the place of the newest job."""
        ...

    def retry_these(self, job_ids: Sequence[str]) -> list[ControlResult]:
        """Do the same with several jobs in one step."""
        ...

    def retell(self, job_id: str) -> ControlResult:
        """Try once more to tell of a job what failed to be told."""
        ...

    def delete(self, job_id: str) -> ControlResult:
        """Remove a finished job."""
        ...

    def counts(self) -> Counts:
        """Count everything there is."""
        ...

    def ping(self) -> None:
        """Return when the store answers."""
        ...

    def catalogue(self) -> dict[str, str]:
        """Give the published operations: name to JSON text of a `schemas.operations.Operation`."""
        ...


class DoorbellRelay(Protocol):
    """The relay, as far as the API uses it."""

    @property
    def broker_up(self) -> bool:
        """Tell whether the broker took the last doorbell."""
        ...

    def ring(self, job_id: str, queue: str) -> None:
        """Have the doorbell of `queue` rung for the job; returns at once."""
        ...
