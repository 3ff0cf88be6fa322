"""An integration test of services that tell each other: both in containers of nameko's, on a real broker and store."""

from contextlib import ExitStack

import pytest
from nameko.testing.services import entrypoint_hook, entrypoint_waiter

from examples.events.service import ServiceA, ServiceB

HANDLERS = ("in_one_instance_of_each_service", "in_every_instance", "in_one_instance_of_all")


@pytest.fixture
def services(container_factory, rabbit_config) -> tuple:
    teller, hearer = (container_factory(service, rabbit_config) for service in (ServiceA, ServiceB))
    teller.start()
    hearer.start()
    return teller, hearer


def test_what_a_emits_b_hears_in_three_ways(services) -> None:
    teller, hearer = services

    with ExitStack() as heard, entrypoint_hook(teller, "emit_an_event") as emit_an_event:
        for handler in HANDLERS:
            heard.enter_context(entrypoint_waiter(hearer, handler, timeout=20))
        event_id = emit_an_event({"some": "data"})

    with entrypoint_hook(hearer, "heard") as notes:
        assert [(each["kind"], each["payload"]) for each in notes(event_id)] == [
            ("broadcast", {"some": "data"}),
            ("service_pool", {"some": "data"}),
            ("singleton", {"some": "data"}),
        ]
