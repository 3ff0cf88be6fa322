"""The dispatcher gives long requests threads of their own, a limited number at a time, and slows no other request."""

from io import BytesIO
from threading import Event, Semaphore, Thread, current_thread

import pytest
from granian.server import mp

from api.dispatch.dispatcher import RequestDispatcher, may_take_long
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from errand.process.waiting import until

STREAM = {"REQUEST_METHOD": "GET", "PATH_INFO": "/events"}
SHORT = {"REQUEST_METHOD": "GET", "PATH_INFO": "/jobs"}
WAIT = {"REQUEST_METHOD": "POST", "PATH_INFO": "/jobs", "HTTP_PREFER": "wait=5"}


class Runs:
    """Runs requests as granian does, notes in which thread, and lets none go before the test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[Thread, bool]] = []
        self.may_end = Event()

    def __call__(self, connection, scope) -> None:
        self.begun.append((current_thread(), SLOT_KEY in scope))
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
def test_streams_and_requests_that_prefer_to_wait_may_take_long(scope, expected):
    assert may_take_long(scope) is expected


def test_a_long_request_runs_in_its_own_thread_and_a_short_one_where_it_arrived(runs):
    run = RequestDispatcher(slots=1, max_working=1).dispatch(runs)

    run(None, STREAM)
    run(None, SHORT)

    until(lambda: len(runs.begun) == 2, 5, "both run")
    assert {thread is current_thread(): has_slot for thread, has_slot in runs.begun} == {True: False, False: True}


def test_without_a_free_slot_a_request_runs_where_it_arrived_and_knows_that_it_must_not_take_long(runs):
    runs.may_end.set()
    run = RequestDispatcher(slots=0, max_working=1).dispatch(runs)

    run(None, STREAM)

    assert runs.begun == [(current_thread(), False)]


def test_a_slot_is_free_again_when_its_request_has_ended_or_failed(runs):
    class Fails(Runs):
        def __call__(self, connection, scope) -> None:
            super().__call__(connection, scope)
            raise ValueError("on purpose")

    runs = Fails()
    runs.may_end.set()
    dispatcher = RequestDispatcher(slots=1, max_working=1)
    run = dispatcher.dispatch(runs)

    for _ in range(3):
        run(None, STREAM)
        until(lambda: dispatcher._free._value == 1, 5, "the slot free again")

    assert [has_slot for _, has_slot in runs.begun] == [True, True, True]


@pytest.mark.parametrize("path", ["/jobs", "/errand/jobs", "/compute", "/errand/compute"])
def test_a_submission_goes_to_the_submit_thread_whether_or_not_the_proxy_strips_the_public_path(runs, path):
    class Taking:
        def __init__(self):
            self.taken = []

        def take(self, run, connection, scope):
            self.taken.append(scope["PATH_INFO"])

    submit_thread = Taking()
    run = RequestDispatcher(1, 1, submit_thread, "/errand").dispatch(runs)

    run(None, {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": "6", "wsgi.input": BytesIO(b"a body")})

    assert submit_thread.taken == [path]
    assert runs.begun == []


def test_when_the_system_gives_no_thread_a_request_runs_where_it_arrived(runs, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    runs.may_end.set()
    dispatcher = RequestDispatcher(slots=1, max_working=1)
    monkeypatch.setattr(Thread, "start", refuse)

    dispatcher.dispatch(runs)(None, STREAM)

    assert runs.begun == [(current_thread(), False)]
    assert dispatcher._free._value == 1


def test_only_some_long_requests_work_at_a_time_and_short_ones_are_not_held_up():
    working = Semaphore(1)
    slot, dispatcher = LongRequestSlot(working), RequestDispatcher(slots=1, max_working=1)
    app = dispatcher.limit_working(lambda environ, _: environ["PATH_INFO"])

    with dispatcher._slot.working():
        assert app({"PATH_INFO": "/"}, None) == "/"  # it has no slot, so it does not wait
        assert not dispatcher._slot._working.acquire(blocking=False)
    assert app({"PATH_INFO": "/", SLOT_KEY: dispatcher._slot}, None) == "/"
    assert dispatcher._slot._working.acquire(blocking=False)

    with slot.working(), slot.idle():
        assert working.acquire(blocking=False)
        working.release()


@pytest.mark.parametrize("slots", [0, 1])
def test_a_body_is_read_before_granian_drops_it(slots):
    bodies = []

    def run(connection, scope) -> None:
        bodies.append((WAIT["wsgi.input"].tell(), scope["wsgi.input"].read()))

    RequestDispatcher(slots, max_working=1).dispatch(run)(None, dict(WAIT))

    until(lambda: bodies, 5, "the request runs")
    assert bodies == [(6, b"a body")]


def test_granian_still_has_the_private_name_that_the_dispatcher_replaces(monkeypatch):
    original = mp._wsgi_call_wrap
    monkeypatch.setattr(mp, "_wsgi_call_wrap", original)  # put back afterwards

    RequestDispatcher(slots=1, max_working=1).install()

    assert original.__module__ == "granian.wsgi"
    assert "_wsgi_call_wrap" in mp.MPServer._spawn_wsgi_worker.__wrapped__.__code__.co_names
    assert mp._wsgi_call_wrap is not original
