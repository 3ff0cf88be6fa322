"""`examples/events/` as its row in the issue has it: A emits, B hears it, the three kinds, and a job that has ended."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from errand.process.waiting import until
from tests.support.plugins import Instances, cluster_on, instances
from tests.support.stack import running
from tests.support.tutorial import follow_tutorial

EVENTS = "examples.events"
KINDS = 3
"""Kinds of handlers that B and C have."""


@pytest.fixture
def here(on_each, tmp_path: Path) -> Iterator[Instances]:
    with instances(tmp_path, on_each, EVENTS) as here:
        yield here


def instances_by_kind(notes: list[dict]) -> Counter:
    """Count who heard an event, by kind of delivery and service."""
    return Counter((note["kind"], note["service"]) for note in notes)


def test_every_instance_one_of_each_service_or_one_of_all_hears_an_event(here: Instances, on_each) -> None:
    here.start("service_a")
    pids = {name: [] for name in ("service_b", "service_c")}
    for name in (*pids, *pids):
        pids[name].append(here.start(name, listening=KINDS + 1).process.pid)  # and for calls
    hearing = 4 + 2 + 1

    with cluster_on(on_each["AMQP_URI"], timeout=60) as n:
        events = {n.service_a.emit_an_event({"number": number}): number for number in range(10)}
        for event in events:
            until(lambda event=event: len(n.service_b.heard(event)) >= hearing, 20, "all who are to hear it")
        heard = {event: n.service_b.heard(event) for event in events}

    for event, notes in heard.items():
        counted = instances_by_kind(notes)
        singles = counted.pop(("singleton", "service_b"), 0) + counted.pop(("singleton", "service_c"), 0)
        assert singles == 1
        assert counted == {
            ("broadcast", "service_b"): 2,
            ("broadcast", "service_c"): 2,
            ("service_pool", "service_b"): 1,
            ("service_pool", "service_c"): 1,
        }
        assert {str(note["payload"]) for note in notes} == {str({"number": events[event]})}
        there = {int(note["instance"].rpartition(":")[2]) for note in notes if note["kind"] == "broadcast"}
        assert there == {*pids["service_b"], *pids["service_c"]}


def test_over_http_an_event_is_emitted_and_a_job_that_ended_is_heard_of(on_each, tmp_path: Path) -> None:
    with running(tmp_path, on_each | {"EXAMPLES": EVENTS}) as stack:
        emitted = stack.post("/events", {"payload": {"__type__": "evil"}})
        assert emitted.status_code == 202
        place = emitted.headers["Location"]
        until(lambda: stack.get(place).status_code == 200, 20, "somebody who heard it")
        told = stack.get(place).json()
        assert told["id"] == emitted.json()["id"]
        assert all(note["payload"] == {"__type__": "evil"} for note in told["heard"])

        job = stack.compute(email="name@email.com")
        until(lambda: stack.get(f"/events/{job}").status_code == 200, 20, "the end of the job heard")
        (note,) = stack.get(f"/events/{job}").json()["heard"]
        assert (note["service"], note["payload"]) == ("job_listener", "succeeded")

        unknown = uuid4()
        missing = stack.get(f"/events/{unknown}")
        assert (missing.status_code, missing.json()["detail"]) == (
            404,
            f"Nobody has heard of {unknown} yet; ask again shortly.",
        )
        for body in ([], {}, "payload", None, {"payload": "x" * 1000}):
            refused = stack.post("/events", data=json.dumps(body), headers={"Content-Type": "application/json"})
            assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json"), body
            assert "payload" in refused.json()["detail"]
        assert stack.get("/events/none").status_code == 404


def test_what_a_emits_b_hears_as_the_tutorials_test_it(on_each) -> None:
    follow_tutorial("events_integration.py", on_each)


def test_without_any_server_the_services_are_tested_with_mocks() -> None:
    follow_tutorial("events_unit.py", {})
