"""An integration test of timers, in a container of nameko's: the clock calls both."""

from nameko.testing.services import entrypoint_hook, entrypoint_waiter

from examples.timer.service import TimerService


def test_the_clock_calls_both(container_factory, rabbit_config) -> None:
    container = container_factory(TimerService, rabbit_config)
    with entrypoint_waiter(container, "report", timeout=20), entrypoint_waiter(container, "sweep", timeout=20):
        container.start()

    with entrypoint_hook(container, "instances") as instances:
        told = instances()
    assert told["each"] == told["once"] != []
