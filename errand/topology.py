"""Every name on the broker and every key in Redis, defined once, for API, workers and rescuer."""

import os
import socket
from dataclasses import dataclass
from functools import cache

from kombu import Exchange, Queue

from schemas.operations import COMPUTE, MAIL, WEBHOOKS, Weight, queue_of

# ---- broker -----------------------------------------------------------------------------------------------------

JOB_FINISHED = "job_finished"
"""Event type: a job has ended and has notifications. The mail service listens to it. Payload: {"id", "status"}."""

QUORUM = {
    "x-queue-type": "quorum",  # replicated, and confirmed only when it is on the disks of the majority
    "x-delivery-limit": 20,  # a message that kills its consumer is dropped after so many; workers also look without it
}
"""Arguments of each queue that must survive the loss of a node."""


def events_exchange(service: str) -> Exchange:
    """Return the exchange of `service`'s events, on which nameko's `@event_handler(service, …)` listens."""
    return Exchange(f"{service}.events", type="topic", durable=True, auto_delete=False)


def doorbell_name(queue: str) -> str:
    """Return the name of the broker's queue of doorbells for a queue of the store, or for a notifying service."""
    return f"errand.{queue}"


@cache
def doorbell_queue(queue: str) -> Queue:
    """Return the broker's queue for a queue of the store; it is reached through the default exchange by its name."""
    bound = {"exchange": events_exchange(COMPUTE), "routing_key": JOB_FINISHED} if queue == MAIL else {}
    return Queue(doorbell_name(queue), durable=True, queue_arguments=dict(QUORUM), **bound)


DOORBELLS = (*(queue_of(COMPUTE, weight) for weight in Weight), MAIL, WEBHOOKS)
"""Queues that API and workers declare before they publish, so that no doorbell is lost. Queues of other services'
operations are declared on first use."""

CALLS = Exchange("nameko-rpc", type="topic", durable=True, auto_delete=False)
"""The exchange of nameko's calls, with the key `service.method`, and of their replies, with the key in `reply_to`."""

UNTIL = "errand.until"
"""Header of a call on the embedded broker: the time (s) until which its caller waits."""

REPLIES_SECONDS = 300
"""Seconds for which the reply queue of a dead caller is kept."""

DELIVERIES = "x-delivery-count"
"""Header in which the broker counts earlier deliveries of a message that were not acknowledged."""


def calls_queue(service: str) -> str:
    """Return the name of the queue in which calls of a service wait."""
    return f"rpc-{service}"


def owner() -> str:
    """Return a name for this process, for queues that end with it."""
    return f"{socket.gethostname()}.{os.getpid()}"


def replies_queue(key: str) -> Queue:
    """Return the queue of one caller's replies; the broker deletes it with its connection, or soon after."""
    name = f"rpc.reply-errand-{key}@{owner()}"
    return Queue(name, CALLS, key, durable=False, exclusive=True, auto_delete=True, expires=REPLIES_SECONDS)


def event_queue(source: str, event: str, reader: str = "") -> str:
    """Return the name of the queue of `source`'s events of one type, shared by all readers or for one `reader`."""
    return f"evt-{source}-{event}" + (f"--{reader}" if reader else "")


# ---- store ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keys:
    """The keys in Redis under one prefix. The scripts build the same names from the prefix they are given."""

    prefix: str

    def job(self, job_id: str) -> str:
        """Hash: a job's record."""
        return f"{self.prefix}job:{job_id}"

    def tracebacks(self, job_id: str) -> str:
        """Hash: where a job's operation failed, by the number of the attempt. Only operators read it."""
        return f"{self.prefix}tracebacks:{job_id}"

    def letter(self, letter_id: str) -> str:
        """Hash: a mail that belongs to no job (the `mail.send` call)."""
        return f"{self.prefix}letter:{letter_id}"

    @property
    def jobs(self) -> str:
        """Sorted set of all job ids in the order of their creation (µs, no two alike)."""
        return f"{self.prefix}jobs"

    def jobs_in(self, status: str) -> str:
        """Sorted set of the job ids in one status in the order of their creation (µs, no two alike)."""
        return f"{self.prefix}jobs:{status}"

    def waiting(self, queue: str, priority: str) -> str:
        """Sorted set of the job ids of one priority that wait in `queue`, by the time since which they wait (µs)."""
        return f"{self.prefix}waiting:{queue}:{priority}"

    @property
    def due(self) -> str:
        """Sorted set of the ids of scheduled and retrying jobs, by the time at which their delay ends (ms)."""
        return f"{self.prefix}due"

    @property
    def deadlines(self) -> str:
        """Sorted set of the ids of unfinished jobs, by their deadline (ms)."""
        return f"{self.prefix}deadlines"

    @property
    def outbox(self) -> str:
        """Sorted set of job ids whose doorbell is not confirmed yet, by the time since then (ms)."""
        return f"{self.prefix}outbox"

    def wake(self, worker: str) -> str:
        """Channel of a worker's wakes."""
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
        """Sorted set of the addresses that have unsubscribed, in lower case, by when they did (ms)."""
        return f"{self.prefix}unsubscribed"

    def rate(self, address: str) -> str:
        """Time (ms) from which an address, in lower case, counts as never having had mails (MAIL_RATE)."""
        return f"{self.prefix}rate:{address}"

    @property
    def link_secret(self) -> str:
        """The secret that signs the links in mails (hexadecimal)."""
        return f"{self.prefix}link_secret"

    @property
    def events(self) -> str:
        """Stream of the events of all jobs."""
        return f"{self.prefix}events"

    @property
    def catalogue(self) -> str:
        """Hash of operation name to its published description (JSON); `catalogue:shown` has the time of that."""
        return f"{self.prefix}catalogue"

    @property
    def service_states(self) -> str:
        """Hash of service name to the state of its own dependency; `services:beats` has the time of its last beat."""
        return f"{self.prefix}services"

    @property
    def schedules(self) -> str:
        """Sorted set of the names of all schedules by their next time (ms)."""
        return f"{self.prefix}schedules"

    def schedule(self, name: str) -> str:
        """Hash: a schedule's definition and state."""
        return f"{self.prefix}schedule:{name}"

    def leader(self, role: str) -> str:
        """Key of the lease under which one instance does `role` for all."""
        return f"{self.prefix}leader:{role}"
