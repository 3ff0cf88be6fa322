"""The messages that Errand publishes: doorbells and events."""

from dataclasses import dataclass

from errand.topology import JOB_FINISHED, doorbell_name, events_exchange
from schemas.operations import COMPUTE


@dataclass(frozen=True, slots=True)
class Message:
    """A message for the broker. A `mandatory` one counts as lost when no queue takes it."""

    exchange: str
    routing_key: str
    body: str
    content_type: str = "text/plain"
    mandatory: bool = True


def doorbell(queue: str, job_id: str) -> Message:
    """Make a doorbell, at which a worker looks at `queue`: a job's id, and nothing that a client wrote."""
    return Message("", doorbell_name(queue), job_id)


def job_finished(job_id: str, status: str) -> Message:
    """Make the event that a job has ended, as nameko's `@event_handler("compute", "job_finished")` reads it."""
    body = f'{{"id":"{job_id}","status":"{status}"}}'
    return Message(events_exchange(COMPUTE).name, JOB_FINISHED, body, "application/json", mandatory=False)


def event(source: str, type_: str, payload: str) -> Message:
    """Make an event of the service `source` from a JSON text, as nameko's `@event_handler(source, type_)` reads it."""
    return Message(events_exchange(source).name, type_, payload, "application/json", mandatory=False)


PROBE = Message(events_exchange(COMPUTE).name, "probe", "", mandatory=False)
"""A message that no queue takes: a broker that confirms it would confirm a doorbell as well."""
