"""Is granian's RSGI as fast as its WSGI, in which Errand replaces a private name? `python -m bench.rsgi [processes]`.

The same API (one process unless told) under WSGI as it ships and under RSGI, with one-job requests in the event loop
and in the submit thread, all of them up and measured in turns: requests accepted a second by 16 connections, their
latency, the API's CPU time for each and its memory; then beside a thousand event streams. Three minutes; the ratios
are medians of those within a round. Needs nothing but this environment: the client is below.
"""

import select
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from api.serving.server import allow_files
from bench.common import spread, table
from bench.streams import STREAMS, Figures, cpu_seconds, memory
from errand.process.waiting import until
from tests.e2e.test_streams import Crowd, accept, finish
from tests.support.processes import Running
from tests.support.stack import Stack, running
from tests.support.valkey import running as running_store

ROUNDS, CROWDED_ROUNDS, SECONDS, PAUSE = 12, 5, 1.5, 0.4
WSGI = "WSGI"
KINDS = {
    WSGI: ["--interface", "wsgi", "--blocking-threads", "4", "api.serving.wsgi:make"],
    "RSGI, in the loop": ["--interface", "rsgi", "--loop", "uvloop", "bench.on_rsgi:in_loop"],
    "RSGI, submit thread": ["--interface", "rsgi", "--loop", "uvloop", "bench.on_rsgi:in_thread"],
}
GRANIAN = ["granian", "--factory", "--http", "1", "--no-ws", "--log-level", "warning", "--backpressure", "4096"]
BODY = b'{"operation": "sum", "value": 30, "other": 10}'
HEAD = "POST /compute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
POST = HEAD.format(len(BODY)).encode() + BODY
FIGURES = ("requests/s", "p50, ms", "CPU µs a request")


def start(stack: Stack, name: str) -> None:
    """Start the API as granian's command does; its parent is the same in all of them."""
    options = ["--workers", stack.env["API_PROCESSES"], "--port", str(stack.port), *KINDS[name]]
    env = {**stack.env, "EVENTLET_NO_GREENDNS": "yes"}
    command = [sys.executable, "-m", *GRANIAN, *options]
    stack.api = Running("api", command, stack.folder / "api.log", env=env, ready=stack.answers, cwd=stack.folder)
    stack.api.start()


@contextmanager
def clients(port: int, number: int = 16) -> Iterator[dict[int, socket.socket]]:
    """Connect."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(number)]
        yield {each.fileno(): each for each in sockets}


def accepted(stack: Stack) -> tuple[float, float, float]:
    """Return the requests accepted a second, the median of their latency (ms), and the API's CPU time for one (µs)."""
    time.sleep(PAUSE)
    took, clock, cpu = [], time.perf_counter, cpu_seconds(stack)
    with clients(stack.port) as sockets, closing(select.epoll()) as poll:
        begun = clock()
        sent = dict.fromkeys(sockets, begun)
        for number, each in sockets.items():
            poll.register(number, select.EPOLLIN)
            each.send(POST)
        while clock() < begun + SECONDS:
            for number, _ in poll.poll(1):
                text, now = sockets[number].recv(4096), clock()
                assert text.startswith(b"HTTP/1.1 202"), text
                took.append(now - sent[number])
                sent[number] = now
                sockets[number].send(POST)
        lasted = clock() - begun
    return len(took) / lasted, statistics.median(took) * 1e3, (cpu_seconds(stack) - cpu) / len(took) * 1e6


def note(figures: Figures, values: tuple[float, ...], where: str) -> None:
    for name, value in zip(FIGURES, values, strict=True):
        figures[name + where].append(value)


def crowded(stack: Stack, figures: Figures) -> None:
    """Measure beside a thousand streams."""
    ids, before = accept(stack, STREAMS), memory(stack)
    with closing(Crowd(stack.port, [f"/jobs/{job_id}/events" for job_id in ids])) as crowd:
        until(partial(crowd.all_have, b"event: status"), 60, "all streams stand")
        figures["KB a stream"].append((memory(stack) - before) * 1024 / STREAMS)
        note(figures, accepted(stack), " beside streams")
        finish(stack, ids)
        until(crowd.all_ended, 60, "all told")


def measured(stacks: dict[str, Stack]) -> dict[str, Figures]:
    """Measure all of them in turns, each round beginning with another."""
    figures: dict[str, Figures] = {name: defaultdict(list) for name in stacks}
    for round_ in range(ROUNDS + CROWDED_ROUNDS):
        names = list(stacks)
        for name in (*names[round_ % len(names) :], *names[: round_ % len(names)]):
            if round_ < ROUNDS:
                note(figures[name], accepted(stacks[name]), "")
            else:
                crowded(stacks[name], figures[name])
    return figures


def main(processes: str = "1") -> None:
    allow_files(3 * STREAMS)
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store, ExitStack() as exits:
        stacks, megabytes = {}, {}
        for name in KINDS:
            env = {"REDIS_URL": store.url(), "AMQP_URI": store.fresh_url(), "MAIL_ENABLED": "false"}
            env |= {"API_PROCESSES": processes, "KEY_PREFIX": f"{len(stacks)}:"}
            (place := Path(folder) / f"api-{len(stacks)}").mkdir()
            stack = exits.enter_context(running(place, env, lambda stack, name=name: start(stack, name)))
            accepted(stack)
            stacks[name], megabytes[name] = stack, memory(stack)
        figures = measured(stacks)
    rows = [
        [column, *(cell(told[column], figures[WSGI][column]) for told in figures.values())] for column in figures[WSGI]
    ]
    table(["", *figures], *rows, ["PSS, MB", *(f"{value:.0f}" for value in megabytes.values())])


def cell(values: list[float], wsgi: list[float]) -> str:
    """Write the values, and their ratios to those of WSGI."""
    ratio = statistics.median(value / other for value, other in zip(values, wsgi, strict=True))
    return spread(values, 1) + ("" if values is wsgi else f"; {ratio:.2f} of WSGI")


if __name__ == "__main__":
    main(*sys.argv[1:])
