"""The doorbell proxy: flask_nameko's pool, used so that none of its known faults can happen."""

import os
import threading

import pytest
from flask_nameko.errors import BadConfigurationError

from api.doorbells import proxy as module
from api.doorbells.proxy import DoorbellProxy
from errand.errors import BrokerBlocked, BrokerUnavailable


class Wire:
    """A publisher that notes what is done to it."""

    def __init__(self, uri):
        self.uri, self.healthy, self.closed = uri, True, 0

    def is_healthy(self):
        return self.healthy

    def close(self):
        self.closed += 1
        self.healthy = True  # the next use connects again


@pytest.fixture
def made(monkeypatch):
    made = []
    monkeypatch.setattr(module, "Publisher", lambda uri: made.append(Wire(uri)) or made[-1])
    return made


@pytest.fixture
def proxy(made):
    return DoorbellProxy("amqp://broker//")


def test_an_empty_address_is_refused():
    with pytest.raises(BadConfigurationError):
        DoorbellProxy("")


def test_nothing_is_made_before_the_first_use(proxy, made):
    assert made == []


def test_the_publisher_is_used_again(proxy, made):
    for _ in range(3):
        with proxy.publisher():
            pass

    assert [wire.uri for wire in made] == ["amqp://broker//"]
    assert made[0].closed == 0


def test_a_connection_that_died_is_closed_before_it_is_used(proxy, made):
    with proxy.publisher():
        pass
    made[0].healthy = False

    with proxy.publisher() as publisher:
        assert publisher.closed == 1


@pytest.mark.parametrize("fault", [BrokerUnavailable, OSError, KeyboardInterrupt])
def test_an_exception_in_the_block_closes_the_connection_and_gives_it_back(proxy, made, fault):
    with pytest.raises(fault), proxy.publisher():
        raise fault

    assert made[0].closed == 1
    with proxy.publisher():
        assert len(made) == 1


def test_a_connection_that_is_blocked_stays_open(proxy, made):
    with pytest.raises(BrokerBlocked), proxy.publisher():
        raise BrokerBlocked

    assert made[0].closed == 0
    with proxy.publisher():
        assert len(made) == 1


def test_a_fault_while_the_connection_is_checked_gives_it_back(proxy, made):
    with proxy.publisher():
        pass
    made[0].is_healthy = lambda: 1 / 0

    with pytest.raises(ZeroDivisionError), proxy.publisher():
        pass

    made[0].is_healthy = lambda: True
    with proxy.publisher():
        assert len(made) == 1


def test_closing_waits_for_no_thread_that_still_publishes(proxy, made):
    with proxy.publisher():
        closing = threading.Thread(target=proxy.close)
        closing.start()
        closing.join(timeout=5)
        assert not closing.is_alive()

    assert made[0].closed == 0


def test_a_proxy_made_before_a_fork_has_nothing_to_share(proxy, made):
    reading, writing = os.pipe()

    if (child := os.fork()) == 0:
        with proxy.publisher():
            os.write(writing, str(len(made)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 1) == b"1"
    assert made == []
