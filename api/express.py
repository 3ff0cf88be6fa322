"""The express lane: one thread answers all requests that submit one job, many of them at a time.

Stands before step 1 of a job's life, where `lanes.py` sends such a request. Each runs as a greenlet until it has to
wait for the store; when all have got there, one round trip carries their jobs (`gathering.py`), and all go on.
"""

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from greenlet import getcurrent, greenlet

from api.problems import loggable

log = logging.getLogger(__name__)

PATHS: Final = frozenset({"/compute", "/jobs"})
"""Where one job is submitted."""
LARGEST: Final = 65_536
"""Bytes of a body that goes here: a larger one takes its time, and everybody here would wait for it."""
TOGETHER: Final = 64
"""Requests that wait for each other at most."""

Scope = dict[str, Any]
Runner = Callable[[Any, Scope], object]
"""Answers one request: granian's handle on the connection, and the request as WSGI describes it."""
Act = Callable[[], None]


class Trip(greenlet):  # type: ignore[misc]  # greenlet carries no annotations
    """One request on its way. It switches to the lane with what it waits for, or without anything at its end."""


def wait_for(act: Act) -> bool:
    """Wait until `act` was called for all who wait for it; False, and nothing happens, outside of the express lane."""
    trip = getcurrent()
    if not isinstance(trip, Trip) or trip.parent is None:
        return False
    trip.parent.switch(act)
    return True


def is_quick(scope: Scope) -> bool:
    """Tell whether a request submits one job, and no more is to be asked of the store than to accept it."""
    if scope["REQUEST_METHOD"] != "POST" or scope["PATH_INFO"] not in PATHS or "HTTP_IDEMPOTENCY_KEY" in scope:
        return False
    length = scope.get("CONTENT_LENGTH", "")
    return len(length) <= 5 and length.isdecimal() and int(length) <= LARGEST


class Express:
    """The express lane of one process."""

    def __init__(self) -> None:
        """Be ready; nothing is started before `start`."""
        self._coming: SimpleQueue[tuple[Runner, Any, Scope]] = SimpleQueue()

    def start(self) -> None:
        """Start the thread; to be called in the process that serves, never before a fork."""
        Thread(target=self._work, name="express", daemon=True).start()

    def take(self, run: Runner, connection: Any, scope: Scope) -> None:
        """Have the request answered; its body must be there already."""
        self._coming.put((run, connection, scope))

    def _work(self) -> None:
        while True:
            held: list[_Held] = []
            try:
                on_their_way = self._set_out(held)
                while on_their_way:
                    for act in dict.fromkeys(act for _, act in on_their_way):
                        act()
                    on_their_way = _go_on(on_their_way)
            except Exception:
                # never let this thread die; who has no answer yet is told 500
                log.exception("The express lane met a fault it does not know", extra={"action": "express_fault"})
            for each in held:
                each.send()

    def _set_out(self, held: list["_Held"]) -> list[tuple[Trip, Act]]:
        """Wait for a request, and let it and all that came meanwhile go as far as they can."""
        on_their_way = []
        run, connection, scope = self._coming.get()
        while True:
            held.append(_Held(connection))
            trip = Trip(_answer)
            if act := trip.switch(run, held[-1], scope):
                on_their_way.append((trip, act))
            if len(held) == TOGETHER:
                return on_their_way
            try:
                run, connection, scope = self._coming.get_nowait()
            except Empty:
                return on_their_way


class _Held:
    """granian's handle on a connection, which keeps the answer until all are there.

    Each answer wakes the thread that writes it; when they come at once it is awake already.
    """

    __slots__ = ("_answer", "_connection")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._answer: tuple[Any, ...] = ()

    def response_bytes(self, *answer: Any) -> None:
        """Keep an answer."""
        self._answer = answer

    def response_iter(self, *answer: Any) -> None:
        """Give an answer that comes in pieces at once."""
        self._connection.response_iter(*answer)

    def send(self) -> None:
        """Give what was kept; granian answers 500 where there is nothing."""
        if self._answer:
            self._connection.response_bytes(*self._answer)


def _go_on(on_their_way: list[tuple[Trip, Act]]) -> list[tuple[Trip, Act]]:
    """Let all go on; give those that wait once more."""
    further = ((trip, trip.switch()) for trip, _ in on_their_way)
    return [(trip, act) for trip, act in further if act]


def _answer(run: Runner, connection: Any, scope: Scope) -> None:
    try:
        run(connection, scope)
    except Exception:
        log.exception("A request failed", extra={"action": "request_failed", "path": loggable(scope["PATH_INFO"])})
