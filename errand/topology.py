"""Every name on the broker and every key in Redis, once.

Stands beside the whole life of a job: store, relay, workers and rescuer take their names from here.
"""

import os
import socket
from dataclasses import dataclass
from functools import cache

from kombu import Exchange, Queue

from schemas.operations import COMPUTE, Weight, queue_of

# ---- broker -----------------------------------------------------------------------------------------------------

MAIL = "mail"
WEBHOOKS = "webhooks"
RESCUER = "rescuer"
"""Names of the services beside `compute`, as `nameko shell` and `make worker SERVICE=…` type them."""

JOB_FINISHED = "job_finished"
"""Event type: a job reached a final status and somebody is to be told. Rings for mails. Payload: {"id", "status"}."""

QUORUM = {
    "x-queue-type": "quorum",  # replicated, and confirmed only when it is on the disks of the majority
    "x-delivery-limit": 20,  # a message that kills its reader is dropped after this many; workers look without it
}
"""Arguments of each queue that is to survive the loss of a node."""


def events_exchange(service: str) -> Exchange:
    """Give the exchange of `service`'s events: the one nameko's `@event_handler(service, …)` listens on."""
    return Exchange(f"{service}.events", type="topic", durable=True, auto_delete=False)


def doorbell_name(queue: str) -> str:
    """Name the broker's queue in which doorbells ring for a queue of the store (or for those who notify)."""
    return f"errand.{queue}"


@cache
def doorbell_queue(queue: str) -> Queue:
    """Give the broker's queue for a queue of the store; reached through the default exchange by its name."""
    bound = {"exchange": events_exchange(COMPUTE), "routing_key": JOB_FINISHED} if queue == MAIL else {}
    return Queue(doorbell_name(queue), durable=True, queue_arguments=dict(QUORUM), **bound)


DOORBELLS = (*(queue_of(COMPUTE, weight) for weight in Weight), MAIL, WEBHOOKS)
"""The queues that API and workers declare before they publish: a doorbell must not ring in an empty house. Those of
other services' operations are declared when they are first used."""

CALLS = Exchange("nameko-rpc", type="topic", durable=True, auto_delete=False)
"""Where nameko's calls go, by the key `service.method`, and their replies, by the key in `reply_to`."""

UNTIL = "errand.until"
"""Header of a call on the embedded broker: the time (s) after which nobody waits for its reply."""

REPLIES_SECONDS = 300
"""How long the queue of a caller that died without a word is kept."""

DELIVERIES = "x-delivery-count"
"""Header in which the broker tells how often a message came before and wasn't acknowledged."""


def calls_queue(service: str) -> str:
    """Name the queue in which the calls of a service wait."""
    return f"rpc-{service}"


def owner() -> str:
    """Name this process, in the names of queues that are to go with it."""
    return f"{socket.gethostname()}.{os.getpid()}"


def replies_queue(key: str) -> Queue:
    """Give the queue of one caller's replies; it goes with its connection, or soon after it."""
    name = f"rpc.reply-errand-{key}@{owner()}"
    return Queue(name, CALLS, key, durable=False, exclusive=True, auto_delete=True, expires=REPLIES_SECONDS)


def event_queue(source: str, event: str, reader: str = "") -> str:
    """Name the queue of `source`'s events of one type: of all readers together, or of this one alone."""
    return f"evt-{source}-{event}" + (f"--{reader}" if reader else "")


# ---- store ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keys:
    """The keys in Redis under one prefix. The scripts build the same names from the prefix they are given."""

    prefix: str

    def job(self, job_id: str) -> str:
        """Name a job's hash: its record."""
        return f"{self.prefix}job:{job_id}"

    def letter(self, letter_id: str) -> str:
        """Name the hash of a mail that belongs to no job (the `mail.send` call)."""
        return f"{self.prefix}letter:{letter_id}"

    @property
    def jobs(self) -> str:
        """Sorted set of all job ids in the order of their creation (µs, each once)."""
        return f"{self.prefix}jobs"

    def jobs_in(self, status: str) -> str:
        """Name the sorted set of the job ids in one status in the order of their creation (µs, each once)."""
        return f"{self.prefix}jobs:{status}"

    def waiting(self, queue: str, priority: str) -> str:
        """Name the sorted set of the job ids of one priority that wait in `queue`, by when they began to (µs)."""
        return f"{self.prefix}waiting:{queue}:{priority}"

    @property
    def due(self) -> str:
        """Sorted set of delayed job ids, scheduled or retrying, by the time their delay is over (ms)."""
        return f"{self.prefix}due"

    @property
    def deadlines(self) -> str:
        """Sorted set of unfinished job ids by the time after which they aren't started any more (ms)."""
        return f"{self.prefix}deadlines"

    @property
    def outbox(self) -> str:
        """Sorted set of job ids whose doorbell was not confirmed yet, by the time they went in (ms)."""
        return f"{self.prefix}outbox"

    def wake(self, worker: str) -> str:
        """Channel on which a worker hears which queue it is to look at."""
        return f"{self.prefix}wake:{worker}"

    @property
    def leases(self) -> str:
        """Sorted set of running job ids by the time their lease expires (ms)."""
        return f"{self.prefix}leases"

    @property
    def retention(self) -> str:
        """Sorted set of finished job ids by the time they expire (ms)."""
        return f"{self.prefix}retention"

    @property
    def notifications(self) -> str:
        """Sorted set of mails to send, by the time of their next attempt (ms): `name/id`."""
        return f"{self.prefix}notices"

    @property
    def webhook_notifications(self) -> str:
        """Sorted set of webhooks to send, by the time of their next attempt (ms): `name/id/host`."""
        return f"{self.prefix}notices:webhook"

    @property
    def unsubscribed(self) -> str:
        """Sorted set of the addresses that want no mails, in lower case, by when they said so (ms)."""
        return f"{self.prefix}unsubscribed"

    def rate(self, address: str) -> str:
        """Name the time from which an address, in lower case, may have mails as if it never had any (ms)."""
        return f"{self.prefix}rate:{address}"

    @property
    def link_secret(self) -> str:
        """What the links in mails are signed with (hexadecimal)."""
        return f"{self.prefix}link_secret"

    @property
    def events(self) -> str:
        """Stream of what happens to jobs, read by those who watch."""
        return f"{self.prefix}events"

    @property
    def catalogue(self) -> str:
        """Hash of operation name to its published description (JSON); `catalogue:shown` has when it was last shown."""
        return f"{self.prefix}catalogue"

    @property
    def schedules(self) -> str:
        """Sorted set of the names of all schedules by the time they are due next (ms)."""
        return f"{self.prefix}schedules"

    def schedule(self, name: str) -> str:
        """Name a schedule's hash: its definition, and how far it has come."""
        return f"{self.prefix}schedule:{name}"

    def leader(self, role: str) -> str:
        """Name the key of the lease under which one instance does `role` for all."""
        return f"{self.prefix}leader:{role}"
