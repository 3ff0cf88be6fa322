"""The contract of watching: the events of one job and of all, and how a client goes on who was away."""

from contextlib import closing
from itertools import takewhile
from typing import Any

import requests

from errand.process.waiting import until
from tests.support.contract import NUMBERS, problem
from tests.support.sse import Message, told
from tests.support.stack import Stack

BEGINNING = [("status", "running"), ("log", "Ada rests"), ("progress", 0.5)]


def stream(stack: Stack, path: str, last: str | None = None) -> requests.Response:
    answer = stack.get(path, stream=True, headers={} if last is None else {"Last-Event-ID": last})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return answer


def whole(answer: requests.Response) -> list[Message]:
    """Read a stream up to its end, which it must have."""
    with closing(answer):
        return list(told(answer.iter_content(None)))


def said(messages: list[Message]) -> list[tuple[str, Any]]:
    return [message.said for message in messages]


def test_a_jobs_events_end_with_its_last_and_can_be_resumed_anywhere(shared: Stack) -> None:
    # given a client who has seen the job begin, and has gone
    job_id = shared.submit("rest", {"seconds": 600, "name": "Ada"})
    path = f"/jobs/{job_id}/events"
    progress = until(lambda: shared.get(f"/jobs/{job_id}").json()["progress"], 20, "it runs and says so")
    assert (progress["progress"], progress["message"], progress["eta_seconds"] >= 0) == (0.5, "Ada", True)
    with closing(stream(shared, path)) as opened:
        seen = next(told(opened.iter_content(None)))
    assert seen.data == {"id": job_id, "status": "running", "attempt": 1}

    # when he comes again, and the job ends
    again = stream(shared, path, last=seen.id)
    from_start = stream(shared, path, last=first_event_of(shared, job_id))
    shared.post(f"/jobs/{job_id}/cancel")

    # then he is told what he has not seen, and nothing after the end
    rest, everything = whole(again), whole(from_start)
    assert said(rest)[-1] == ("status", "cancelled")
    assert ("status", "running") not in said(rest)
    assert sorted(said(everything)[:3]) == sorted(BEGINNING)
    assert everything[-1] == rest[-1]
    numbers = [message.id for message in everything]
    assert len(set(numbers)) == len(numbers)
    assert {message.data["id"] for message in everything} == {job_id}
    assert whole(stream(shared, path, last=numbers[0])) == everything[1:]
    assert shared.get(path, headers={"Last-Event-ID": numbers[-1]}).status_code == 204


def first_event_of(stack: Stack, job_id: str) -> str:
    """Find where the job was accepted, in the stream of all."""
    everything = stream(stack, "/events", last="0-0")
    with closing(everything):
        messages = told(everything.iter_content(None))
        return next(str(message.id) for message in messages if message.data["id"] == job_id)


def test_who_comes_late_is_told_how_it_ended(shared: Stack) -> None:
    job_id = shared.submit("sum", NUMBERS)
    shared.finished(job_id)

    [only] = whole(stream(shared, f"/jobs/{job_id}/events"))

    assert (only.event, only.data) == ("status", {"id": job_id, "status": "succeeded", "attempt": 1})


def test_the_events_of_all_jobs_go_on_where_a_client_was(shared: Stack) -> None:
    with closing(stream(shared, "/events")) as opened:
        first, second = shared.submit("sum", NUMBERS), shared.submit("div", {"value": 1, "other": 0})
        messages = told(opened.iter_content(None))
        seen = [next(message for message in messages if message.data.get("status") == "succeeded")]
        shared.finished(second)

    assert seen[0].data["id"] == first
    third = shared.submit("mul", NUMBERS)
    with closing(stream(shared, "/events", last=seen[0].id)) as resumed:
        messages = told(resumed.iter_content(None))
        seen += takewhile(lambda message: message.said != ("status", "succeeded"), messages)
    statuses = {job_id: [m.data["status"] for m in seen if m.data["id"] == job_id] for job_id in (first, second, third)}
    assert statuses[first] == ["succeeded"]
    assert statuses[second][-1:] <= ["failed"]
    assert statuses[third] == ["accepted", "running"]


def test_what_is_no_event_or_no_job_is_refused(shared: Stack) -> None:
    job_id = shared.submit("sum", NUMBERS)

    for path in (f"/jobs/{job_id}/events", "/events"):
        problem(shared.get(path, headers={"Last-Event-ID": "yesterday"}), 400, "urn:errand:event-id-refused")
    problem(shared.get(f"/jobs/{'0' * 8}-0000-0000-0000-{'0' * 12}/events"), 404, "urn:errand:job-unknown")
