"""One open event stream: first the backlog, then live events, with heartbeats while nothing happens.

Next: `api/feed/subscription.py`, in which the live events wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.context import Errand
from api.dispatch.long_request_slot import LongRequestSlot
from api.events.backlog import PAGE, is_final
from api.events.sse import HEARTBEAT_SECONDS, HELLO, comment, event_text, position
from api.feed.broadcaster import order
from api.feed.subscription import Ended, Subscription
from errand.errors import StoreUnavailable
from errand.store import Event


@dataclass
class Stream:
    """One open stream. Events up to `number` are the backlog's; `last_status` is the status event sent last."""

    errand: Errand
    slot: LongRequestSlot
    subscription: Subscription
    number: str
    last_status: str = ""

    def of_job(self, first: Iterable[Event]) -> Iterator[bytes]:
        """Write the events in `first`, then live ones, up to the job's final status."""
        yield HELLO + position(self.number)
        for event in first:
            yield event_text(event)
            if self._ends_with(event):
                return
        yield from self._live()

    def of_all(self, last: str, is_whole: bool) -> Iterator[bytes]:
        """Write the events after `last`, then live ones. Without `is_whole` some events after `last` are gone."""
        yield HELLO + position(last) + (b"" if is_whole else comment("older events are no longer kept"))
        try:
            while page := self._page(last):
                for event in page:
                    yield event_text(event)
                last = page[-1].number
        except StoreUnavailable:
            yield comment("the store is down")
            return
        yield from self._live()

    def _page(self, last: str) -> list[Event]:
        with self.slot.working():
            return self.errand.store.events_between(last, self.number, PAGE)

    def _live(self) -> Iterator[bytes]:
        """Write the events after `number` as they happen, and heartbeats while nothing does."""
        begin = order(self.number)
        while True:
            match self.subscription.next(HEARTBEAT_SECONDS):
                case None:
                    yield self._heartbeat()
                    if self._is_removed():
                        return
                case Ended(why):
                    yield comment(why)
                    return
                case event:
                    if order(event.number) <= begin or event.data == self.last_status:
                        continue
                    yield event_text(event)
                    if self._ends_with(event):
                        return

    def _ends_with(self, event: Event) -> bool:
        """Return whether this event is the last of a job's stream."""
        if event.kind == "status":
            self.last_status = event.data
        return self.subscription.job_id is not None and is_final(event)

    def _heartbeat(self) -> bytes:
        """Write a comment, and the position from which a client without recent events should resume."""
        number = self.errand.broadcaster.position_of(self.subscription)
        is_newer = number and order(number) > order(self.number)
        return comment("still here") + (position(number) if number and is_newer else b"")

    def _is_removed(self) -> bool:
        """Return whether the job no longer exists, so that no event of it can come."""
        try:
            job_id = self.subscription.job_id
            with self.slot.working():
                return job_id is not None and self.errand.store.get(job_id) is None
        except StoreUnavailable:
            return False
