"""Waits until a job has ended, for a client that sent `Prefer: wait=N`. Next: `api/feed/broadcaster.py`."""

from time import monotonic

from api.context import current_errand
from api.dispatch.long_request_slot import current_slot
from api.events.backlog import is_final
from api.feed.subscription import Ended, Subscription
from errand.errors import StoreUnavailable
from schemas.status import FINAL


def wait_until_final(job_id: str, seconds: float) -> bool:
    """Wait up to `seconds` until the job has ended; return whether it has.

    Returns False at once when too many requests wait already, and when the store can't be reached. Raises nothing:
    the request itself has been carried out by now.
    """
    errand, slot, deadline = current_errand(), current_slot(), monotonic() + seconds
    if slot is None:
        return False
    try:
        with errand.broadcaster.subscribed(job_id) as subscription:
            while (record := errand.store.get(job_id)) and record.status not in FINAL:
                with slot.idle():
                    has_come = _final_event_comes(subscription, deadline)
                if not has_come:
                    return False
    except StoreUnavailable:
        return False
    return record is not None


def _final_event_comes(subscription: Subscription, deadline: float) -> bool:
    """Wait for an event with a final status. It may be an old one: the job may have been retried since."""
    while True:
        match subscription.next(deadline - monotonic()):
            case None | Ended():
                return False
            case event if is_final(event):
                return True
