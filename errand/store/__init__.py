"""The store: everything about jobs is in Redis, and every change is one script.

API and workers hold one object, `Store`; each of its parts is a module here. Next: `jobs.py`.
"""

from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from errand.settings import Settings
from errand.store.addresses import AddressesPart
from errand.store.attempts import AttemptsPart
from errand.store.catalogue import CataloguePart
from errand.store.control import ControlPart, ControlResult
from errand.store.counts import Counts, CountsPart
from errand.store.events import Event, EventsPart, Snapshot
from errand.store.jobs import AcceptResult, Commit, JobsPart, Lease, NewJob, Outcome, Renewal
from errand.store.leadership import LeadershipPart
from errand.store.listing import ListingPart, Page
from errand.store.notifications import DueJobNotification, DueLetter, DueNotification, JobEnding, NotificationsPart
from errand.store.redis_access.availability import ANSWER_SECONDS, CONNECT_SECONDS
from errand.store.redis_access.script_loader import Client
from errand.store.redis_access.store_part import A_DAY, AT_ONCE, Pace, Retention
from errand.store.rescue import LostAttempt, RescuePart, RescueRound
from errand.store.schedules import ScheduleDefinition, SchedulesPart, StoredSchedule
from errand.store.service_states import ServiceStates, ServiceStatesPart
from errand.store.wake_queue import WakePart
from errand.topology import Keys


class Store(
    JobsPart,
    AttemptsPart,
    WakePart,
    ControlPart,
    ListingPart,
    EventsPart,
    CataloguePart,
    CountsPart,
    ServiceStatesPart,
    NotificationsPart,
    AddressesPart,
    SchedulesPart,
    RescuePart,
    LeadershipPart,
):
    """Everything the store can do, on one pool of connections. Safe to share between threads."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        mail: bool = True,
        replicas: int = 0,
        pace: Pace = AT_ONCE,
        *,
        retention: Retention = A_DAY,
    ) -> None:
        """Use `client`. Without `mail`, mails are recorded as switched off instead of sent.

        Answers are held back until the changes are on so many `replicas`. Mails are claimed at this `pace`. Ended jobs
        are kept for their `retention`.
        """
        super().__init__(client, keys, mail, replicas, pace, retention=retention)
        self.client, self.keys = client, keys

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """Make a store for the settings; no connection is opened before the first call."""
        client = redis.Redis.from_url(
            settings.redis_url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_keepalive=True,
            max_connections=1024,  # one for each thread there may be; redis-py's own limit of 100 would fail the rest
            # One retry, without a pause, replaces a connection that Redis has closed. Every script can be run twice.
            # A timeout is not retried: the caller has waited long enough.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
        )
        pace = Pace(settings.mail_rate, settings.mail_give_up)
        retention = Retention(settings.result_ttl, settings.failure_ttl, settings.cancelled_ttl)
        keys = Keys(settings.key_prefix)
        return cls(client, keys, settings.mail_enabled, settings.store_replicas, pace, retention=retention)

    def ping(self) -> None:
        """Return if Redis answers; raise StoreUnavailable if not."""
        with self._asking():
            self.client.ping()


__all__ = [
    "AcceptResult",
    "Commit",
    "ControlResult",
    "Counts",
    "DueJobNotification",
    "DueLetter",
    "DueNotification",
    "Event",
    "JobEnding",
    "Lease",
    "LostAttempt",
    "NewJob",
    "Outcome",
    "Page",
    "Renewal",
    "RescueRound",
    "Retention",
    "ScheduleDefinition",
    "ServiceStates",
    "Snapshot",
    "Store",
    "StoredSchedule",
]
