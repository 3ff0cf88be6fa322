"""The express lane: one thread answers all requests that submit one job, many of them at a time.

Stands before step 1 of a job's life, where `dispatcher.py` sends such a request. Each runs as a greenlet until it has
to wait for the store; when all have got there, one round trip carries their jobs (`group_commit.py`), and all go on.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from greenlet import getcurrent, greenlet

from api.http.problems import loggable_path

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
Finish = Callable[[], None]
"""Waits until all that was sent on its way has come to its end."""
Carry = Callable[[list[Any]], Finish]
"""Sends what several wish for on its way."""


def answer(run: Runner, connection: Any, scope: Scope) -> None:
    """Answer a request to its end, streaming included; granian answers 500 for one that nobody answered."""
    try:
        run(connection, scope)
    except Exception:
        log.exception("A request failed", extra={"action": "request_failed", "path": loggable_path(scope["PATH_INFO"])})


class RequestGreenlet(greenlet):  # type: ignore[misc]  # greenlet carries no annotations
    """One request on its way. It switches to the lane with what it wishes for, or without anything at its end."""


def wait_for(carry: Carry, wish: object) -> bool:
    """Have the wish carried with those of others, and wait for that. Outside of the lane nothing happens: False."""
    trip = getcurrent()
    if not isinstance(trip, RequestGreenlet) or trip.parent is None:
        return False
    trip.parent.switch((carry, wish))
    return True


def is_quick(scope: Scope) -> bool:
    """Tell whether a request submits one job, and no more is to be asked of the store than to accept it."""
    if scope["REQUEST_METHOD"] != "POST" or scope["PATH_INFO"] not in PATHS or "HTTP_IDEMPOTENCY_KEY" in scope:
        return False
    length = scope.get("CONTENT_LENGTH", "")
    return len(length) <= 5 and length.isdecimal() and int(length) <= LARGEST


class _Batch:
    """Those that wait for the same."""

    def __init__(self) -> None:
        self.trips: list[RequestGreenlet] = []
        self.wishes: list[Any] = []


class SubmitThread:
    """The express lane of one process."""

    def __init__(self) -> None:
        """Be ready; nothing is started before `start`."""
        self._coming: SimpleQueue[tuple[Runner, Any, Scope]] = SimpleQueue()
        self._answered: list[_HeldAnswer] = []
        self._gathered: dict[Carry, _Batch] = {}

    def start(self) -> None:
        """Start the thread; to be called in the process that serves, never before a fork."""
        Thread(target=self._work, name="express", daemon=True).start()

    def take(self, run: Runner, connection: Any, scope: Scope) -> None:
        """Have the request answered; its body must be there already."""
        self._coming.put((run, connection, scope))

    def _work(self) -> None:
        under_way: list[tuple[Finish, list[RequestGreenlet]]] = []
        while True:
            try:
                under_way = self._round(under_way)
            except Exception:
                # never let this thread die; who has no answer yet is told 500
                log.exception("The express lane met a fault it does not know", extra={"action": "express_fault"})
                under_way = []

    def _round(
        self, under_way: list[tuple[Finish, list[RequestGreenlet]]]
    ) -> list[tuple[Finish, list[RequestGreenlet]]]:
        """Send the wishes of those who have come, and let those go on whose wishes were under way.

        While the store works on some, others are read and answered: nobody waits for the store without need.
        """
        self._set_out(wait=not under_way and not self._gathered)
        for finish, _ in under_way:
            finish()
        gathered, self._gathered = self._gathered, {}
        sent = [(carry(party.wishes), party.trips) for carry, party in gathered.items()]
        for _, trips in under_way:
            for trip in trips:
                self._go(trip)
        for each in self._answered:
            each.send()
        self._answered.clear()
        return sent

    def _set_out(self, wait: bool) -> None:
        """Let all that have come go as far as they can; with `wait`, wait until somebody comes."""
        with suppress(Empty):
            for number in range(TOGETHER):
                run, connection, scope = self._coming.get(wait and not number)
                self._go(RequestGreenlet(answer), run, _HeldAnswer(connection, self._answered), scope)

    def _go(self, trip: RequestGreenlet, *arguments: Any) -> None:
        """Let it go as far as it can."""
        if waits := trip.switch(*arguments):
            carry, wish = waits
            party = self._gathered.setdefault(carry, _Batch())
            party.trips.append(trip)
            party.wishes.append(wish)


class _HeldAnswer:
    """granian's handle on a connection, which keeps the answer until all are there.

    Each answer wakes the thread that writes it; when they come at once it is awake already.
    """

    __slots__ = ("_answer", "_answered", "_connection")

    def __init__(self, connection: Any, answered: list["_HeldAnswer"]) -> None:
        self._connection, self._answered = connection, answered
        self._answer: tuple[Any, ...] = ()

    def response_bytes(self, *answer: Any) -> None:
        """Keep an answer."""
        self._answer = answer
        self._answered.append(self)

    def response_iter(self, *answer: Any) -> None:
        """Give an answer that comes in pieces at once."""
        self._connection.response_iter(*answer)

    def send(self) -> None:
        """Give what was kept."""
        self._connection.response_bytes(*self._answer)
