"""RequestDispatcher: what may take long gets a thread of its own, so many at a time, and hinders nobody else."""

from io import BytesIO
from threading import Event, Semaphore, Thread, current_thread

import pytest
from granian.server import mp

from api.dispatch.dispatcher import RequestDispatcher, may_take_long
from api.dispatch.long_requests import PLACE, LongRequestSlot
from errand.embedded.wait import until

STREAM = {"REQUEST_METHOD": "GET", "PATH_INFO": "/events"}
SHORT = {"REQUEST_METHOD": "GET", "PATH_INFO": "/jobs"}
WAIT = {"REQUEST_METHOD": "POST", "PATH_INFO": "/jobs", "HTTP_PREFER": "wait=5"}


class Runs:
    """Runs requests as granian does, notes in which thread, and lets none go before the test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[Thread, bool]] = []
        self.may_end = Event()

    def __call__(self, connection, scope) -> None:
        self.begun.append((current_thread(), PLACE in scope))
        if scope["PATH_INFO"] == "/events":
            self.may_end.wait(10)


@pytest.fixture
def runs():
    runs = Runs()
    yield runs
    runs.may_end.set()


@pytest.fixture(autouse=True)
def bodies():
    """Requests have a body, as all have that come by granian."""
    for scope in (STREAM, SHORT, WAIT):
        scope["wsgi.input"] = BytesIO(b"a body")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (STREAM, True),
        ({**STREAM, "PATH_INFO": "/jobs/x/events"}, True),
        ({**STREAM, "PATH_INFO": "/jobs/x/events/"}, True),
        ({**STREAM, "REQUEST_METHOD": "HEAD"}, False),
        (SHORT, False),
        ({**SHORT, "REQUEST_METHOD": "POST", "HTTP_PREFER": "respond-async,WAIT=5"}, True),
        ({**SHORT, "HTTP_PREFER": "handling=strict"}, False),
    ],
)
def test_streams_and_those_who_would_rather_wait_may_take_long(scope, expected):
    assert may_take_long(scope) is expected


def test_what_may_take_long_runs_aside_and_the_rest_where_it_came(runs):
    run = RequestDispatcher(places=1, turns=1).beside(runs)

    run(None, STREAM)
    run(None, SHORT)

    until(lambda: len(runs.begun) == 2, 5, "both run")
    assert {thread is current_thread(): has_place for thread, has_place in runs.begun} == {True: False, False: True}


def test_without_a_free_place_a_request_runs_where_it_came_and_knows_that_it_must_not_take_long(runs):
    runs.may_end.set()
    run = RequestDispatcher(places=0, turns=1).beside(runs)

    run(None, STREAM)

    assert runs.begun == [(current_thread(), False)]


def test_a_place_is_free_again_when_its_request_is_done_or_has_failed(runs):
    class Fails(Runs):
        def __call__(self, connection, scope) -> None:
            super().__call__(connection, scope)
            raise ValueError("on purpose")

    runs = Fails()
    runs.may_end.set()
    lanes = RequestDispatcher(places=1, turns=1)
    run = lanes.beside(runs)

    for _ in range(3):
        run(None, STREAM)
        until(lambda: lanes._free._value == 1, 5, "the place free again")

    assert [has_place for _, has_place in runs.begun] == [True, True, True]


def test_where_the_system_gives_no_thread_a_request_runs_where_it_came(runs, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    runs.may_end.set()
    lanes = RequestDispatcher(places=1, turns=1)
    monkeypatch.setattr(Thread, "start", refuse)

    lanes.beside(runs)(None, STREAM)

    assert runs.begun == [(current_thread(), False)]
    assert lanes._free._value == 1


def test_of_those_who_have_a_place_only_some_work_at_a_time_and_the_others_are_not_asked():
    turns = Semaphore(1)
    place, lanes = LongRequestSlot(turns), RequestDispatcher(places=1, turns=1)
    app = lanes.in_turn(lambda environ, _: environ["PATH_INFO"])

    with lanes._place.at_work():
        assert app({"PATH_INFO": "/"}, None) == "/"  # has no place: is not kept waiting
        assert not lanes._place._turns.acquire(blocking=False)
    assert app({"PATH_INFO": "/", PLACE: lanes._place}, None) == "/"
    assert lanes._place._turns.acquire(blocking=False)

    with place.at_work(), place.standing_by():
        assert turns.acquire(blocking=False)
        turns.release()


@pytest.mark.parametrize("places", [0, 1])
def test_a_body_is_read_before_its_request_steps_aside_for_then_it_is_gone(places):
    bodies = []

    def run(connection, scope) -> None:
        bodies.append((WAIT["wsgi.input"].tell(), scope["wsgi.input"].read()))

    RequestDispatcher(places, turns=1).beside(run)(None, dict(WAIT))

    until(lambda: bodies, 5, "the request runs")
    assert bodies == [(6, b"a body")]


def test_granian_still_has_the_one_name_by_which_it_is_given_our_lanes(monkeypatch):
    original = mp._wsgi_call_wrap
    monkeypatch.setattr(mp, "_wsgi_call_wrap", original)  # put back afterwards

    RequestDispatcher(places=1, turns=1).install()

    assert original.__module__ == "granian.wsgi"
    assert "_wsgi_call_wrap" in mp.MPServer._spawn_wsgi_worker.__wrapped__.__code__.co_names
    assert mp._wsgi_call_wrap is not original
