"""Services that emit and handle events: as in Nameko's tutorial, A emits an event and B's handlers get it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from examples.events.notes import Notes
from workers.extending import BROADCAST, SERVICE_POOL, SINGLETON, EventDispatcher, event_handler, rpc

LONGEST = 1000
"""Maximum characters of a payload; every handler notes it."""


class PayloadRefused(Exception):
    """The payload is too long."""


class ServiceA:
    """Emits an event without knowing who handles it."""

    name = "service_a"
    dispatch = EventDispatcher()

    @rpc(expected_exceptions=PayloadRefused)
    def emit_an_event(self, payload: Any) -> str:
        if len(json.dumps(payload)) > LONGEST:
            raise PayloadRefused(f"The payload must not have more than {LONGEST} characters as JSON.")
        event = {"id": str(uuid4()), "payload": payload}
        self.dispatch("an_event", event)
        return event["id"]


class ServiceB:
    """Handles the event in all three ways."""

    name = "service_b"
    notes = Notes()

    @event_handler("service_a", "an_event")  # handler_type=SERVICE_POOL
    def in_one_instance_of_each_service(self, event: Mapping[str, Any]) -> None:
        self._note(event, SERVICE_POOL)

    @event_handler("service_a", "an_event", handler_type=BROADCAST)
    def in_every_instance(self, event: Mapping[str, Any]) -> None:
        self._note(event, BROADCAST)

    @event_handler("service_a", "an_event", handler_type=SINGLETON)
    def in_one_instance_of_all(self, event: Mapping[str, Any]) -> None:
        self._note(event, SINGLETON)

    @rpc
    def heard(self, event_id: str) -> list[Mapping[str, object]]:
        return self.notes.about(event_id)

    def _note(self, event: Mapping[str, Any], kind: str) -> None:
        self.notes.note(event["id"], service=self.name, kind=kind, payload=event["payload"])


class ServiceC(ServiceB):
    """Handles the event too, with its own handlers."""

    name = "service_c"


class JobListener:
    """Reacts to Errand's own event: a job with an e-mail address or a webhook has ended."""

    name = "job_listener"
    notes = Notes()

    @event_handler("compute", "job_finished")
    def job_finished(self, job: Mapping[str, str]) -> None:
        self.notes.note(job["id"], service=self.name, kind=SERVICE_POOL, payload=job["status"])
