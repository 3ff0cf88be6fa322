"""Waits until a job has ended, for a client who would rather wait than come again: `Prefer: wait=N`.

Stands at the end of a job's life, seen from its client. `api/jobs/submit.py` and `api/jobs/show.py` ask here. Next:
`api/feed/broadcaster.py`.
"""

from time import monotonic

from api.context import here
from api.dispatch.long_requests import place
from api.events.backlog import is_final
from api.feed.subscription import Ended, Subscription
from errand.errors import StoreUnavailable
from schemas.status import FINAL


def wait_until_final(job_id: str, seconds: float) -> bool:
    """Wait until the job has ended; False when it has not within `seconds`, or when nobody could find out.

    Returns at once where too many requests wait already. Raises nothing: what the client came for is done.
    """
    errand, ours, until = here(), place(), monotonic() + seconds
    if ours is None:
        return False
    try:
        with errand.watch.subscribed(job_id) as subscription:
            while (record := errand.store.get(job_id)) and record["status"] not in FINAL:
                with ours.standing_by():
                    has_come = _end_comes(subscription, until)
                if not has_come:
                    return False
    except StoreUnavailable:
        return False
    return record is not None


def _end_comes(subscription: Subscription, until: float) -> bool:
    """Wait for a final status, which may be an earlier one of a job that was tried again since."""
    while True:
        match subscription.next(until - monotonic()):
            case None | Ended():
                return False
            case event if is_final(event):
                return True
