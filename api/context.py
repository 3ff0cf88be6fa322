"""What every view works with: settings, store, relay, and the parts built on them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from api.checks.catalogue import CachedCatalogue
from api.dispatch.group_commit import GroupCommit
from api.feed.broadcaster import Broadcaster
from api.ports import DoorbellRelay, JobStore
from errand.errors import JobUnknown
from errand.record import JobRecord
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.jobs import ID


@dataclass(frozen=True, slots=True)
class Errand:
    """The parts of one app. `links()` reads the links in mails; its first call reads their secret from the store."""

    settings: Settings
    store: JobStore
    relay: DoorbellRelay
    catalogue: CachedCatalogue
    broadcaster: Broadcaster
    links: Callable[[], SignedLinks]
    group_commit: GroupCommit


def current_errand() -> Errand:
    """Return the parts of the current app."""
    return cast(Errand, current_app.extensions["errand"])


def job_record(job_id: str) -> JobRecord:
    """Return the record of a job; raise JobUnknown."""
    record = current_errand().store.get(job_id) if ID.fullmatch(job_id) else None
    if record is None:
        raise JobUnknown()
    return record
