"""A unit test of a service: no broker, no container, and dependencies that are replaced."""

from nameko.testing.services import worker_factory

from examples.greeting.service import GreetingService, HelloWorld, KonnichiwaService


def test_the_services_greet() -> None:
    assert worker_factory(GreetingService).hello(name="world") == "Hello, world!"
    assert worker_factory(HelloWorld).hello(name="John") == "Hello, John!"
    assert worker_factory(KonnichiwaService).konnichiwa() == "Konnichiwa!"
    assert worker_factory(GreetingService).hello_slowly(name="world", seconds=0) == "Hello, world!"
