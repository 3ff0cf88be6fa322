"""One open event stream: first the backlog, then live events, with heartbeats while nothing happens.

Next: `api/feed/subscription.py`, in which the live events wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api.context import Errand
from api.dispatch.long_request_slot import LongRequestSlot
from api.events.backlog import PAGE, is_final, is_held
from api.events.sse import HEARTBEAT_SECONDS, HELLO, comment, event_text, position
from api.feed.broadcaster import order
from api.feed.subscription import Ended, Subscription
from errand.errors import StoreUnavailable
from errand.store import Event


@dataclass
class Stream:
    """One open stream. Events up to `number` are the backlog's; the client would resume after `known`."""

    errand: Errand
    slot: LongRequestSlot
    subscription: Subscription
    number: str
    known: str

    def of_job(self, first: Iterable[Event]) -> Iterator[bytes]:
        """Write the events in `first`, then live ones, up to the job's final status.

        No position goes before them: a client that had it, and lost the connection, would never get those events.
        """
        yield HELLO
        for event in first:
            yield event_text(event)
            if self._ends_with(event):
                return
        yield from self._live()

    def of_all_from_now(self) -> Iterator[bytes]:
        """Write the events as they happen. The position goes first: no event may come for long."""
        yield HELLO + position(self.number)
        yield from self._live()

    def of_all(self) -> Iterator[bytes]:
        """Write the events after `known`, then live ones; say so where the store has dropped some of them."""
        yield HELLO
        try:
            while order(self.known) < order(self.number):
                page, is_whole = self._page()
                if not is_whole:
                    yield comment("older events are no longer kept")
                if not page:
                    break
                for event in page:
                    yield event_text(event)
                self.known = page[-1].number
        except StoreUnavailable:
            yield comment("the store is down")
            return
        yield from self._live()

    def _page(self) -> tuple[list[Event], bool]:
        """Read the next events of the backlog, and whether they are all that there were after `known`."""
        with self.slot.working():
            store = self.errand.store
            page = store.events_between(self.known, self.number, PAGE)
            return page, is_held(store.first_event(), self.known, self.number)

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
                    if order(event.number) <= begin:
                        continue
                    yield event_text(event)
                    self.known = event.number
                    if self._ends_with(event):
                        return

    def _ends_with(self, event: Event) -> bool:
        """Return whether this event is the last of a job's stream."""
        return self.subscription.job_id is not None and is_final(event)

    def _heartbeat(self) -> bytes:
        """Write a comment, and the position from which to resume if the events of other jobs have moved it on."""
        position_now = self.errand.broadcaster.position_of(self.subscription)
        if position_now is None:
            return comment("still here")
        newest = max(position_now, self.number, key=order)
        if order(newest) <= order(self.known):
            return comment("still here")
        self.known = newest
        return comment("still here") + position(newest)

    def _is_removed(self) -> bool:
        """Return whether the job no longer exists, so that no event of it can come."""
        try:
            job_id = self.subscription.job_id
            with self.slot.working():
                return job_id is not None and self.errand.store.get(job_id) is None
        except StoreUnavailable:
            return False
