"""Unit tests of services that emit and handle events: what they depend on is replaced by mocks."""

import pytest
from nameko.testing.services import worker_factory

from examples.events.service import JobListener, PayloadRefused, ServiceA, ServiceB

EVENT = {"id": "an-id", "payload": "Hello"}


def test_a_emits_an_event() -> None:
    service = worker_factory(ServiceA)

    event_id = service.emit_an_event("Hello")

    service.dispatch.assert_called_once_with("an_event", {"id": event_id, "payload": "Hello"})


def test_a_payload_that_is_too_long_is_not_emitted() -> None:
    service = worker_factory(ServiceA)

    with pytest.raises(PayloadRefused):
        service.emit_an_event("x" * 1000)

    service.dispatch.assert_not_called()


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("in_one_instance_of_each_service", "service_pool"),
        ("in_every_instance", "broadcast"),
        ("in_one_instance_of_all", "singleton"),
    ],
)
def test_b_notes_what_it_hears(handler: str, kind: str) -> None:
    service = worker_factory(ServiceB)

    getattr(service, handler)(EVENT)

    service.notes.note.assert_called_once_with("an-id", service="service_b", kind=kind, payload="Hello")


def test_the_end_of_a_job_is_noted() -> None:
    service = worker_factory(JobListener)

    service.job_finished({"id": "a-job", "status": "failed"})

    service.notes.note.assert_called_once_with("a-job", service="job_listener", kind="service_pool", payload="failed")
