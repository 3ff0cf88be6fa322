"""Every name on the broker and every key in Redis, once.

Stands beside the whole life of a job: store, relay, workers and rescuer take their names from here.
"""

from dataclasses import dataclass
from functools import cache

from kombu import Exchange, Queue

# ---- broker -----------------------------------------------------------------------------------------------------

COMPUTE = "compute"
MAIL = "mail"
RESCUER = "rescuer"
"""Names of the services, as `nameko shell` and `make worker SERVICE=…` type them."""

JOB_FINISHED = "job_finished"
"""Event type: a job reached a final status and somebody is to be told. Payload: {"id", "status"}."""

_QUORUM = {
    "x-queue-type": "quorum",  # replicated, and confirmed only when it is on the disks of the majority
    "x-delivery-limit": 20,  # a message that kills its reader is dropped after this many; the rescuer rings again
}


def events_exchange(service: str) -> Exchange:
    """Give the exchange of `service`'s events: the one nameko's `@event_handler(service, …)` listens on."""
    return Exchange(f"{service}.events", type="topic", durable=True, auto_delete=False)


@cache
def doorbell_queue(service: str) -> Queue:
    """Give the queue in which job ids ring for `service`; reached through the default exchange by its name."""
    bound = {"exchange": events_exchange(COMPUTE), "routing_key": JOB_FINISHED} if service == MAIL else {}
    return Queue(f"errand.{service}", durable=True, queue_arguments=dict(_QUORUM), **bound)


DOORBELLS = (doorbell_queue(COMPUTE), doorbell_queue(MAIL))
"""What API and workers declare before they publish: a doorbell must not ring in an empty house."""


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
        """Sorted set of all job ids by creation time (ms)."""
        return f"{self.prefix}jobs"

    def jobs_in(self, status: str) -> str:
        """Name the sorted set of the job ids in one status by creation time (ms)."""
        return f"{self.prefix}jobs:{status}"

    @property
    def outbox(self) -> str:
        """Sorted set of job ids whose doorbell was not confirmed yet, by the time they went in (ms)."""
        return f"{self.prefix}outbox"

    @property
    def leases(self) -> str:
        """Sorted set of running job ids by the time their lease expires (ms)."""
        return f"{self.prefix}leases"

    @property
    def retention(self) -> str:
        """Sorted set of finished job ids by the time they expire (ms)."""
        return f"{self.prefix}retention"

    @property
    def notices(self) -> str:
        """Sorted set of notifications to send, by the time of their next attempt (ms): `kind/id`."""
        return f"{self.prefix}notices"

    @property
    def events(self) -> str:
        """Stream of status changes, read by those who watch."""
        return f"{self.prefix}events"

    @property
    def catalogue(self) -> str:
        """Hash of operation name to its published description (JSON)."""
        return f"{self.prefix}catalogue"

    def leader(self, role: str) -> str:
        """Name the key of the lease under which one instance does `role` for all."""
        return f"{self.prefix}leader:{role}"
