"""The Errand that answers this request: what every view works with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from api.dispatch.group_commit import Gathering
from api.feed.broadcaster import Watch
from api.ports import Doorbells, JobStore
from errand.errors import JobUnknown
from errand.presenting.report import Record
from errand.settings import Settings
from errand.trust.links import Links
from schemas.jobs import ID

if TYPE_CHECKING:
    from api.checks.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Errand:
    """What the views work with. `links` reads the links in mails; the first call asks the store for their secret."""

    settings: Settings
    store: JobStore
    relay: Doorbells
    catalogue: "Catalogue"
    watch: Watch
    links: Callable[[], Links]
    gathering: Gathering


def here() -> Errand:
    """Give the Errand of the app that answers this request."""
    return cast(Errand, current_app.extensions["errand"])


def found(job_id: str) -> Record:
    """Give the job's record; raise JobUnknown."""
    record = here().store.get(job_id) if ID.fullmatch(job_id) else None
    if record is None:
        raise JobUnknown()
    return record
