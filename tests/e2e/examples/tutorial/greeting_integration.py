"""An integration test of a service: in a container of nameko's, on a real broker."""

from nameko.standalone.rpc import ServiceRpcProxy
from nameko.testing.services import entrypoint_hook, entrypoint_waiter

from examples.greeting.service import GreetingService


def test_a_call_is_answered(container_factory, rabbit_config) -> None:
    container = container_factory(GreetingService, rabbit_config)
    container.start()

    with entrypoint_hook(container, "hello") as hello:
        assert hello(name="world") == "Hello, world!"
    with ServiceRpcProxy("greeting_service", rabbit_config, timeout=20) as greeting:
        with entrypoint_waiter(container, "hello") as said:
            assert greeting.hello(name="John") == "Hello, John!"
        assert said.get() == "Hello, John!"
    container.stop()
