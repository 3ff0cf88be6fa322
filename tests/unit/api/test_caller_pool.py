"""The pool of callers: it does right what flask_nameko's own pool does wrong."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask_nameko.errors import ClientUnavailableError

from api.caller_pool import CallerPool


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


@contextmanager
def borrowed(pool):
    connection = pool.take()
    yield connection
    pool.give_back(connection)


@pytest.fixture
def wires():
    return Wires()


def test_nothing_is_connected_before_the_first_use(wires):
    CallerPool(wires)

    assert wires.made == []


def test_a_connection_is_used_again(wires):
    pool = CallerPool(wires)

    with borrowed(pool) as first:
        pass
    with borrowed(pool) as second:
        pass

    assert first is second


def test_a_connection_that_died_is_dropped_and_replaced(wires):
    pool = CallerPool(wires)
    with borrowed(pool) as dead:
        pass
    dead.healthy = False

    with borrowed(pool) as fresh:
        assert fresh is not dead

    assert dead.stopped


def test_a_recycled_connection_is_closed_not_leaked(wires):
    pool = CallerPool(wires, recycle_seconds=1e-9)

    for _ in range(3):
        with borrowed(pool):
            pass

    assert len(wires.made) == 3
    assert all(wire.stopped for wire in wires.made)


def test_a_connect_that_fails_holds_no_connection_and_no_lock():
    def refuse():
        raise ConnectionRefusedError

    pool = CallerPool(refuse, size=1)

    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            pool.take(wait_seconds=0.01)


def test_a_full_pool_lets_all_wait_at_the_same_time(wires):
    pool = CallerPool(wires, size=1)
    pool.take()

    with ThreadPoolExecutor(4) as threads:
        waits = [threads.submit(pool.take, wait_seconds=0.3) for _ in range(4)]
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
    pool = CallerPool(wires, size=2)
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

    pool = CallerPool(connect, size=2)
    with ThreadPoolExecutor(1) as threads:
        stalled = threads.submit(pool.take)
        assert entered.wait(5)
        assert pool.take() is not None
        slow.set()
        stalled.result()


def test_a_child_process_does_not_use_its_parents_connections(wires):
    pool = CallerPool(wires)
    with borrowed(pool) as parents:
        pass
    reading, writing = os.pipe()

    if (child := os.fork()) == 0:
        os.write(writing, b"1" if pool.take() is not parents and not parents.stopped else b"0")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 1) == b"1"


def test_closing_the_pool_closes_idle_connections_only(wires):
    pool = CallerPool(wires)
    with borrowed(pool) as idle:
        in_use = pool.take()

    pool.close()

    assert idle.stopped
    assert not in_use.stopped
