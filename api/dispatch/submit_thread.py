"""The submit thread: one thread that answers all requests that submit one job, many at a time.

`dispatcher.py` hands such a request over. It runs as a greenlet until it has to wait for the store. When all requests
in hand have got that far, one round trip carries their jobs, and all of them go on. Next: `group_commit.py`.
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
"""Paths to which a client posts one job."""
MAX_SUBMIT_BYTES: Final = 65_536
"""Bytes of a body that is answered here. Parsing a larger one would hold up every other request of the thread."""
MAX_GROUP: Final = 64
"""Maximum number of requests that share one round trip."""

Scope = dict[str, Any]
Runner = Callable[[Any, Scope], object]
"""Answers one request. Arguments: granian's handle on the connection, and the WSGI environment."""
AwaitAnswer = Callable[[], None]
"""Blocks until the answer to a shared round trip has arrived."""
SendBatch = Callable[[list[Any]], AwaitAnswer]
"""Sends the writes of several requests in one round trip, without waiting for the answer."""


def answer_request(run: Runner, connection: Any, scope: Scope) -> None:
    """Answer a request to its end, streaming included. Granian answers 500 when `run` fails before it answered."""
    try:
        run(connection, scope)
    except Exception:
        log.exception("A request failed", extra={"action": "request_failed", "path": loggable_path(scope["PATH_INFO"])})


class RequestGreenlet(greenlet):  # type: ignore[misc]  # greenlet carries no annotations
    """One request of the submit thread. It switches back with a job to write, or with nothing when it has ended."""


def share_round_trip(send: SendBatch, write: object) -> bool:
    """Queue this write for the next shared round trip and wait until it is done.

    Returns False, and does nothing, outside the submit thread.
    """
    current = getcurrent()
    if not isinstance(current, RequestGreenlet) or current.parent is None:
        return False
    current.parent.switch((send, write))
    return True


def submits_one_job(scope: Scope, paths: frozenset[str] = PATHS) -> bool:
    """Return whether the request submits one small job, whose view calls the store only once."""
    if scope["REQUEST_METHOD"] != "POST" or scope["PATH_INFO"] not in paths or "HTTP_IDEMPOTENCY_KEY" in scope:
        return False
    length = scope.get("CONTENT_LENGTH", "")
    return len(length) <= 5 and length.isdecimal() and int(length) <= MAX_SUBMIT_BYTES


class _SharedRoundTrip:
    """Requests that share one round trip, and what they write."""

    def __init__(self) -> None:
        self.greenlets: list[RequestGreenlet] = []
        self.writes: list[Any] = []


_Sent = list[tuple[AwaitAnswer, list[RequestGreenlet]]]
"""The round trips that are under way."""


class SubmitThread:
    """The submit thread of one process."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._incoming: SimpleQueue[tuple[Runner, Any, Scope]] = SimpleQueue()
        self._answers: list[_HeldAnswer] = []
        self._batches: dict[SendBatch, _SharedRoundTrip] = {}

    def start(self) -> None:
        """Start the thread. Call it in the process that serves, never before a fork."""
        Thread(target=self._work, name="submit", daemon=True).start()

    def take(self, run: Runner, connection: Any, scope: Scope) -> None:
        """Queue a request; its body must have been read already."""
        self._incoming.put((run, connection, scope))

    def _work(self) -> None:
        sent: _Sent = []
        while True:
            try:
                sent = self._round(sent)
            except Exception:
                # The thread must not die. Requests that have no answer yet get a 500.
                log.exception("Unexpected error in the submit thread", extra={"action": "submit_fault"})
                sent = []

    def _round(self, sent: _Sent) -> _Sent:
        """Start the requests that have come, send their writes, and finish the requests of the round before.

        While the store works on one round, the requests of the next are read: the thread never waits while it has work.
        """
        self._start_requests(wait=not sent and not self._batches)
        for await_answer, _ in sent:
            await_answer()
        batches, self._batches = self._batches, {}
        now_sent = [(send(batch.writes), batch.greenlets) for send, batch in batches.items()]
        for _, greenlets in sent:
            for each in greenlets:
                self._continue(each)
        for answer in self._answers:
            answer.send()
        self._answers.clear()
        return now_sent

    def _start_requests(self, wait: bool) -> None:
        """Run every queued request until it has to wait for the store. With `wait`, block until there is one."""
        with suppress(Empty):
            for number in range(MAX_GROUP):
                run, connection, scope = self._incoming.get(wait and not number)
                self._continue(RequestGreenlet(answer_request), run, _HeldAnswer(connection, self._answers), scope)

    def _continue(self, request: RequestGreenlet, *arguments: Any) -> None:
        """Run a request until it ends or has something to write."""
        if pending := request.switch(*arguments):
            send, write = pending
            batch = self._batches.setdefault(send, _SharedRoundTrip())
            batch.greenlets.append(request)
            batch.writes.append(write)


class _HeldAnswer:
    """Granian's handle on a connection, which holds the answer back until the round has ended.

    Each answer wakes granian's writing thread. When all are sent together, it is awake for the second and later ones.
    """

    __slots__ = ("_answer", "_answers", "_connection")

    def __init__(self, connection: Any, answers: list["_HeldAnswer"]) -> None:
        self._connection, self._answers = connection, answers
        self._answer: tuple[Any, ...] = ()

    def response_bytes(self, *answer: Any) -> None:
        """Hold a complete answer back."""
        self._answer = answer
        self._answers.append(self)

    def response_iter(self, *answer: Any) -> None:
        """Pass a streamed answer on at once."""
        self._connection.response_iter(*answer)

    def send(self) -> None:
        """Send the answer that was held back."""
        self._connection.response_bytes(*self._answer)
