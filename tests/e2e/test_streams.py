"""Event streams end to end, through the real server: as it happens, by the thousand, and when somebody goes away."""

import resource
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from errand.process.waiting import until
from schemas.status import Status
from tests.support.jobs import new_job
from tests.support.sse import Message, told
from tests.support.stack import FINAL, Stack, running

MANY = 1000
SUM = {"operation": "sum", "value": 30, "other": 10}


class Crowd:
    """Many clients, each with a stream of its own, read by one thread."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        """Open the streams; what comes is read by `read`."""
        self.sockets = [socket.create_connection(("127.0.0.1", port)) for _ in paths]
        self.texts = [b""] * len(paths)
        self._numbers = {each.fileno(): number for number, each in enumerate(self.sockets)}
        self._poll = select.poll()
        for each, path in zip(self.sockets, paths, strict=True):
            each.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            self._poll.register(each, select.POLLIN)

    def all_have(self, text: bytes) -> bool:
        """Read what there is, and tell whether everybody has been told `text`."""
        self._read()
        return all(text in each for each in self.texts)

    def all_ended(self) -> bool:
        """Read what there is, and tell whether all streams have ended."""
        self._read()
        return not self._numbers

    def close(self) -> None:
        """Go away."""
        for each in self.sockets:
            each.close()

    def _read(self) -> None:
        for descriptor, _ in self._poll.poll(50):
            number = self._numbers[descriptor]
            part = self.sockets[number].recv(65536)
            self.texts[number] += part
            if not part:
                self._poll.unregister(descriptor)
                del self._numbers[descriptor]


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand clients need more open files than many systems allow at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * MANY)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def api(env: dict[str, str], valkey, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """An API without workers: the test does what they would do. Parametrize with more settings."""
    settings = {"AMQP_URI": valkey.fresh_url(), "MAIL_ENABLED": "false", **getattr(request, "param", {})}
    with running(tmp_path, {**env, **settings}, lambda stack: stack.api.start()) as stack:
        yield stack


def stream_of(stack: Stack, path: str, **headers: str) -> requests.Response:
    answer = stack.get(path, stream=True, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def until_final(stream: Iterator[Message], job_id: str) -> list[Message]:
    """Read a stream up to the job's final status; leave out what it tells of others."""
    seen = []
    for message in stream:
        if message.data["id"] == job_id:
            seen.append(message)
            if message.data.get("status") in FINAL:
                break
    return seen


def accept(stack: Stack, count: int) -> list[str]:
    jobs = [new_job() for _ in range(count)]
    stack.store.accept(jobs)
    return [job.id for job in jobs]


def finish(stack: Stack, ids: Sequence[str]) -> None:
    """Do what the workers do."""
    leases = stack.store.claim_these(ids, "worker", 30)
    stack.store.commit([_outcome(lease) for lease in leases])


def _outcome(lease):
    from errand.store import Outcome

    return Outcome(lease, Status.SUCCEEDED, "40")


def watchers(stack: Stack) -> int:
    """Ask the process how many streams and waits it has open."""
    lines = stack.get("/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith("errand_api_watchers ")]
    return int(float(line.split()[1]))


def test_a_job_is_told_as_it_happens_in_its_own_stream_and_in_everybodys(stack):
    with ExitStack() as opened:
        everything = opened.enter_context(closing(stream_of(stack, "/events")))
        until(lambda: watchers(stack) == 1, 10, "the stream stands")

        job_id = stack.post("/jobs", {"operation": "primes", "arguments": {"n": 5_000_000}}).json()["id"]
        own = opened.enter_context(closing(stream_of(stack, f"/jobs/{job_id}/events")))

        of_own = list(told(own.iter_content(None)))
        of_all = until_final(told(everything.iter_content(None)), job_id)

    statuses = [message.said for message in of_all if message.event == "status"]
    assert statuses == [("status", "accepted"), ("status", "running"), ("status", "succeeded")]
    assert of_own[-1] == of_all[-1]
    progress = [message.data["progress"] for message in of_all if message.event == "progress"]
    assert progress == sorted(progress)
    assert all(0 <= each <= 1 for each in progress)


def test_who_prefers_to_wait_is_answered_with_the_finished_job(stack):
    answer = stack.post("/compute", SUM, headers={"Prefer": "wait=20"})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["result"]) == ("succeeded", 40)


def test_a_thousand_streams_are_told_while_everybody_else_is_served(api, many_files):
    ids = accept(api, MANY)
    with closing(Crowd(api.port, [f"/jobs/{job_id}/events" for job_id in ids])) as crowd:
        until(lambda: crowd.all_have(b'"status":"accepted"'), 60, "all know how their job stands")

        for _ in range(20):
            job_id = api.compute()
            assert api.get(f"/jobs/{job_id}").status_code == 200
        one_more = api.get("/events", stream=True)
        no_wait = api.post("/compute", SUM, headers={"Prefer": "wait=30"})
        finish(api, ids)

        until(crowd.all_ended, 60, "all streams at their end")
    assert (one_more.status_code, one_more.json()["type"]) == (503, "urn:errand:streams-full")
    assert no_wait.status_code == 202
    for job_id, text in zip(ids, crowd.texts, strict=True):
        assert text.count(job_id.encode()) == text.count(b"event: status") == 3
        assert b'"status":"succeeded"' in text
    until(lambda: watchers(api) == 0, 10, "all places free")


@pytest.mark.parametrize("api", [{"API_PROCESSES": "2"}], indirect=True)
def test_a_server_that_is_stopped_ends_its_streams_and_goes(api, many_files):
    [job_id] = accept(api, 1)
    paths = [f"/jobs/{job_id}/events"] * (MANY // 2) + ["/events"] * (MANY // 2)
    with closing(Crowd(api.port, paths)) as crowd:
        until(lambda: crowd.all_have(b"retry:"), 60, "all streams stand")

        api.api.process.terminate()

        until(crowd.all_ended, 10, "all streams at their end")
        until(lambda: not api.api.running, 10, "the server gone")  # before it would be killed, after 15 s
    assert all(b": the server stops\n" in text for text in crowd.texts)
    assert api.api.process.returncode == 0


@pytest.mark.parametrize("api", [{"API_STREAMS": "1"}], indirect=True)
def test_a_client_that_goes_away_makes_room_for_another_at_the_next_event(api):
    with closing(Crowd(api.port, ["/events"])) as crowd:
        until(lambda: crowd.all_have(b"retry:"), 10, "the stream stands")
        assert api.get("/events").status_code == 503

    def is_free() -> bool:
        accept(api, 1)  # a news that can't be delivered
        with closing(api.get("/events", stream=True)) as answer:
            return answer.status_code == 200

    until(is_free, 10, "the place free again")


def test_while_the_store_is_away_streams_stand_and_then_go_on(api, valkey):
    [job_id] = accept(api, 1)
    with closing(Crowd(api.port, [f"/jobs/{job_id}/events", "/events"])) as crowd:
        until(lambda: crowd.all_have(b"retry:"), 10, "the streams stand")

        valkey.stop()
        until(lambda: "action=watch_lost" in api.api.output(), 20, "the API noticed")
        valkey.start()
        finish(api, [job_id])

        until(lambda: crowd.all_have(b'"status":"succeeded"'), 20, "both know how it ended")
        assert [text.count(b'"status":"running"') for text in crowd.texts] == [1, 1]
