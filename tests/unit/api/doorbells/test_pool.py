"""The pool of broker connections: what flask_nameko's own pool did wrong, ours does right."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask_nameko.errors import ClientUnavailableError

from api.doorbells.pool import ConnectionPool
from errand.errors import BrokerBlocked


class Wire:
    """A connection that remembers what was done to it."""

    def __init__(self):
        self.healthy, self.stopped = True, False

    def is_healthy(self):
        return self.healthy

    def stop(self):
        self.stopped = True


class Wires:
    """Makes wires, and counts them."""

    def __init__(self):
        self.made = []

    def __call__(self):
        self.made.append(Wire())
        return self.made[-1]


@pytest.fixture
def wires():
    return Wires()


def test_nothing_is_connected_before_the_first_use(wires):
    ConnectionPool(wires)

    assert wires.made == []


def test_a_connection_is_used_again(wires):
    pool = ConnectionPool(wires)

    with pool.borrowed() as first:
        pass
    with pool.borrowed() as second:
        pass

    assert first is second


def test_a_connection_that_died_is_dropped_and_replaced(wires):
    pool = ConnectionPool(wires)
    with pool.borrowed() as dead:
        pass
    dead.healthy = False

    with pool.borrowed() as fresh:
        assert fresh is not dead

    assert dead.stopped


def test_an_exception_inside_drops_the_connection(wires):
    pool = ConnectionPool(wires)

    with pytest.raises(OSError, match="reset"), pool.borrowed():
        raise OSError("reset by peer")

    assert wires.made[0].stopped
    assert pool.take() is not wires.made[0]


def test_a_connection_that_is_blocked_is_kept_as_it_is_the_one_that_is_told_when_it_is_free(wires):
    pool = ConnectionPool(wires)

    with pytest.raises(BrokerBlocked), pool.borrowed() as blocked:
        raise BrokerBlocked

    assert not blocked.stopped
    assert pool.take() is blocked


def test_a_recycled_connection_is_closed_not_leaked(wires):
    pool = ConnectionPool(wires, recycle=1e-9)

    for _ in range(3):
        with pool.borrowed():
            pass

    assert len(wires.made) == 3
    assert all(wire.stopped for wire in wires.made)


def test_a_connect_that_fails_takes_no_place_and_no_lock():
    def refuse():
        raise ConnectionRefusedError

    pool = ConnectionPool(refuse, most=1, patience=0.01)

    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            pool.take()


def test_a_full_pool_lets_all_wait_at_the_same_time(wires):
    pool = ConnectionPool(wires, most=1, patience=0.3)
    pool.take()

    with ThreadPoolExecutor(4) as threads:
        waits = [threads.submit(pool.take) for _ in range(4)]
        done = threading.Event()
        # one after the other they would need 1.2 s
        timer = threading.Timer(0.9, done.set)
        timer.start()
        for wait in waits:
            with pytest.raises(ClientUnavailableError):
                wait.result()
        assert not done.is_set()
        timer.cancel()


def test_giving_back_twice_gives_it_to_one_user_only(wires):
    pool = ConnectionPool(wires, most=2)
    connection = pool.take()

    pool.give_back(connection)
    pool.give_back(connection)

    assert pool.take() is not pool.take()


def test_one_slow_connect_does_not_stall_the_others(wires):
    slow, entered = threading.Event(), threading.Event()

    def connect():
        if not entered.is_set():
            entered.set()
            assert slow.wait(5)
        return wires()

    pool = ConnectionPool(connect, most=2)
    with ThreadPoolExecutor(1) as threads:
        stalled = threads.submit(pool.take)
        assert entered.wait(5)
        assert pool.take() is not None
        slow.set()
        stalled.result()


def test_a_child_process_does_not_use_its_parents_connections(wires):
    pool = ConnectionPool(wires)
    with pool.borrowed() as parents:
        pass
    reading, writing = os.pipe()

    if (child := os.fork()) == 0:
        os.write(writing, b"1" if pool.take() is not parents and not parents.stopped else b"0")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 1) == b"1"
