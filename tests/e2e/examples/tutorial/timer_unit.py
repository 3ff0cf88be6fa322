"""Unit tests of a service that works by the clock: its methods are called as the clock would, on a real Redis."""

import os

import redis
from nameko.testing.services import worker_factory

from examples.timer.service import Log, TimerService


def test_what_was_done_is_noted() -> None:
    client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    log = Log(client, os.environ["KEY_PREFIX"])
    service = worker_factory(TimerService, log=log)
    assert service.instances() == {"each": [], "once": []}

    service.sweep()
    service.report()
    log.me = "another:1"
    service.sweep()

    told = service.instances()
    assert len(told["each"]) == 2
    assert "another:1" in told["each"]
    assert set(told["once"]) < set(told["each"])
