"""The Errand that answers this request: what every view works with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from api.checks.catalogue import CachedCatalogue
from api.dispatch.group_commit import GroupCommit
from api.feed.broadcaster import Broadcaster
from api.ports import DoorbellRelay, JobStore
from errand.errors import JobUnknown
from errand.presenting.report import Record
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.jobs import ID


@dataclass(frozen=True, slots=True)
class Errand:
    """What the views work with. `links` reads the links in mails; the first call asks the store for their secret."""

    settings: Settings
    store: JobStore
    relay: DoorbellRelay
    catalogue: CachedCatalogue
    watch: Broadcaster
    links: Callable[[], SignedLinks]
    gathering: GroupCommit


def here() -> Errand:
    """Give the Errand of the app that answers this request."""
    return cast(Errand, current_app.extensions["errand"])


def found(job_id: str) -> Record:
    """Give the job's record; raise JobUnknown."""
    record = here().store.get(job_id) if ID.fullmatch(job_id) else None
    if record is None:
        raise JobUnknown()
    return record
