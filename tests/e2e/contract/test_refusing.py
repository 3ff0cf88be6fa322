"""The contract of refusing: whatever is wrong with a request, the answer is a problem that says what to do."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.contract import NUMBERS, REFUSED, SUM, pointers, problem
from tests.support.stack import Stack

JSON = {"Content-Type": "application/json"}
POSTS = ("/compute", "/jobs", "/jobs/batch", "/operations/sum")
NOBODY = "00000000-0000-0000-0000-000000000000"
MEGABYTE = 2**20


def test_a_body_that_is_too_large_is_refused_however_it_is_sent(shared: Stack) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * (MEGABYTE // 16)

    for path in POSTS:
        for body in (b" " * (MEGABYTE + 1), b" " * (8 * MEGABYTE), chunks()):
            problem(shared.post(path, data=body, headers=JSON), 413)
    fitting = b'{"operation":"sum","arguments":{"value":30,"other":10}}'.ljust(MEGABYTE)
    assert shared.post("/jobs", data=fitting, headers=JSON).status_code == 202


def test_a_body_that_is_no_json_is_refused(shared: Stack) -> None:
    for path in POSTS:
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
            answer = shared.post(path, data=b"{}", headers={"Content-Type": media_type})
            problem(answer, 415, "urn:errand:media-type-unsupported")
        for body in (b"", b"{", b"\xff", b'{"value":NaN}', b"[" * 100_000, b'{"operation":"\\ud800"}'):
            problem(shared.post(path, data=body, headers=JSON), 400, "urn:errand:body-unreadable")
        for body in (b"[]", b"null", b"7", b'"text"'):
            problem(shared.post(path, data=body, headers=JSON), 422, REFUSED)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "/colour"),
    ({"operation": 7}, "/operation"),
    ({"operation": "x" * 201}, "/operation"),
    ({"arguments": {"value": True, "other": 10}}, "/arguments/value"),
    ({"arguments": {"value": 10**18 + 1, "other": 10}}, "/arguments/value"),
    ({"arguments": {**NUMBERS, "third": 1}}, "/arguments/third"),
    ({"arguments": [1]}, "/arguments"),
    ({"email": "nobody"}, "/email"),
    ({"email": ["a@email.com", "nobody"]}, "/email/1"),
    ({"email": []}, "/email"),
    ({"notify": {"on": ["never"]}}, "/notify/on/0"),
    ({"delay": -1}, "/delay"),
    ({"delay": 1, "run_at": "2036-01-01T00:00:00Z"}, "/run_at"),
    ({"run_at": "2036-01-01T00:00:00"}, "/run_at"),
    ({"run_at": "2036-02-30T00:00:00Z"}, "/run_at"),
    ({"deadline": 0}, "/deadline"),
    ({"delay": 10, "deadline": 5}, "/deadline"),
    ({"timeout": 0}, "/timeout"),
    ({"timeout": "10"}, "/timeout"),
    ({"max_attempts": 0}, "/max_attempts"),
    ({"max_attempts": 101}, "/max_attempts"),
    ({"max_attempts": 1.5}, "/max_attempts"),
    ({"priority": "urgent"}, "/priority"),
    ({"tags": ["a b"]}, "/tags/0"),
    ({"tags": ["a", "a"]}, "/tags"),
    ({"tags": [f"t{number}" for number in range(21)]}, "/tags"),
]


def test_each_wrong_field_is_told_by_its_place_and_nothing_is_stored(shared: Stack) -> None:
    before = shared.store.client.zcard(shared.store.keys.jobs)

    for fields, place in WRONG:
        told = problem(shared.post("/jobs", {**SUM, **fields}), 422, REFUSED)
        assert pointers(told) == [place], fields
        assert told["errors"][0]["detail"]

    assert shared.store.client.zcard(shared.store.keys.jobs) == before


def test_what_is_not_there_is_said_to_be_not_there(shared: Stack) -> None:
    for job_id in (NOBODY, "nobody", "%00", "a" * 5000, NOBODY.upper().replace("0", "A")):
        for path in ("", "/log", "/events"):
            problem(shared.get(f"/jobs/{job_id}{path}"), 404, "urn:errand:job-unknown")
        for path in ("cancel", "retry"):
            problem(shared.post(f"/jobs/{job_id}/{path}"), 404, "urn:errand:job-unknown")
        problem(shared.delete(f"/jobs/{job_id}"), 404, "urn:errand:job-unknown")
    problem(shared.get("/operations/nothing"), 404, "urn:errand:operation-unknown")
    for path in ("/nothing", "/jobs/a/b", "/static/%2e%2e/app.py"):
        problem(shared.get(path), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/compute", "POST"),
        ("/jobs", "GET, HEAD, POST"),
        ("/jobs/batch", "POST"),
        (f"/jobs/{NOBODY}", "DELETE, GET, HEAD"),
        (f"/jobs/{NOBODY}/cancel", "POST"),
        ("/operations/sum", "GET, HEAD, POST"),
        ("/events", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_does(
    shared: Stack, path: str, allowed: str
) -> None:
    wrong = shared.put(path, {}) if path != "/compute" else shared.get(path)

    problem(wrong, 405)
    assert set(wrong.headers["Allow"].split(", ")) - {"OPTIONS"} == set(allowed.split(", "))
