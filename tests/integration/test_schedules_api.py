"""Schedules over HTTP, on a real store: put, look, list, delete, and every way to be refused."""

import json
from datetime import UTC, datetime

import pytest

from api.app import create_app
from errand.store.schedules import MOST_SCHEDULES
from schemas.operations import Operation
from schemas.schedules import Schedule, ScheduleList
from tests.support.api import ADD, SilentRelay

EVERY_FIVE = {"cron": "*/5 * * * *", "operation": "add", "arguments": {"value": 1, "other": 2}}


@pytest.fixture
def client(settings, store):
    operations = [Operation.model_validate(ADD), Operation(name="anything", arguments={"type": "object"})]
    store.publish_catalogue({operation.name: operation.model_dump_json() for operation in operations})
    return create_app(settings, store, SilentRelay()).test_client()


def put(client, name="nightly", **changes):
    return client.put(f"/schedules/{name}", json=EVERY_FIVE | changes)


def faults(answer):
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    return {error["pointer"]: error["detail"] for error in answer.json["errors"]}


def moments(texts):
    return [datetime.fromisoformat(text) for text in texts]


def test_a_new_schedule_is_answered_with_all_of_it_and_its_next_five_times(client):
    wishes = {
        "timezone": "Europe/Berlin",
        "email": "name@email.com",
        "timeout": 2.5,
        "max_attempts": 4,
        "priority": "high",
        "tags": ["mine"],
        "overlap": "skip",
        "deadline": 60,
    }

    answer = put(client, **wishes)

    body = answer.json
    Schedule.model_validate(body)
    assert answer.status_code == 201
    assert {field: body[field] for field in EVERY_FIVE | wishes} == EVERY_FIVE | wishes
    assert body["name"] == "nightly"
    assert body["links"] == {"self": "/schedules/nightly", "jobs": "/jobs?tag=schedule:nightly"}
    assert (body["last_job"], body["skipped"]) == (None, 0)
    times = moments(body["next"])
    assert times == moments(body["next_local"]) == sorted(times)
    assert {(time.minute % 5, time.second) for time in times} == {(0, 0)}
    assert len(times) == 5
    assert times[0] > datetime.now(UTC)
    assert all(text.endswith("Z") for text in body["next"])
    assert all(text[-6:] in {"+01:00", "+02:00"} for text in body["next_local"])


def test_what_is_left_out_has_its_defaults(client):
    body = put(client, arguments={"value": 1, "other": 2}).json

    assert (body["timezone"], body["priority"], body["tags"], body["overlap"]) == ("UTC", "normal", [], "allow")
    assert body["email"] is body["timeout"] is body["max_attempts"] is body["deadline"] is None


def test_the_same_again_changes_nothing_and_another_replaces(client):
    first = put(client)
    again = put(client)
    other = put(client, cron="0 12 * * *")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 200)
    assert again.json == first.json
    assert other.json["cron"] == "0 12 * * *"
    assert other.json["next"] != first.json["next"]
    assert other.json["created_at"] == first.json["created_at"]


def test_numbers_of_arguments_stay_what_they_were_sent_as(client):
    arguments = {"big": 10**60, "exact": 0.1, "text": "snö 😀"}

    put(client, operation="anything", arguments=arguments)

    assert json.loads(client.get("/schedules/nightly").text)["arguments"] == arguments


def test_an_unchanged_schedule_costs_a_304(client):
    put(client)
    seen = client.get("/schedules/nightly")

    assert seen.json == put(client).json
    assert client.get("/schedules/nightly", headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    listed = client.get("/schedules")
    assert client.get("/schedules", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 304
    put(client, cron="0 12 * * *")
    assert client.get("/schedules/nightly", headers={"If-None-Match": seen.headers["ETag"]}).status_code == 200


def test_all_are_listed_by_name(client):
    for name in ("b", "a.b", "Z"):
        put(client, name)

    listed = client.get("/schedules").json

    ScheduleList.model_validate(listed)
    assert [each["name"] for each in listed["schedules"]] == ["Z", "a.b", "b"]
    assert listed["schedules"][2] == client.get("/schedules/b").json


def test_a_deleted_one_is_gone(client):
    put(client)

    assert client.delete("/schedules/nightly").status_code == 204
    assert client.delete("/schedules/nightly").status_code == 404
    assert client.get("/schedules/nightly").status_code == 404
    assert client.get("/schedules").json == {"schedules": []}


def test_one_that_was_never_there_is_unknown(client):
    answer = client.get("/schedules/nightly")

    assert (answer.status_code, answer.json["type"]) == (404, "urn:errand:schedule-unknown")


@pytest.mark.parametrize("name", ["a b", "a:b", "ä", "x" * 65, "%0A", "a%0A"])
def test_a_name_that_is_none_is_refused(client, name):
    answer = put(client, name)

    assert (answer.status_code, answer.json["type"]) == (400, "urn:errand:schedule-name-refused")
    assert client.get(f"/schedules/{name}").status_code == client.delete(f"/schedules/{name}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer", "sentence"),
    [
        ({"cron": "0 0 30 2 *"}, "/cron", "is never due"),
        ({"cron": "* * * * * *"}, "/cron", "seconds"),
        ({"cron": "61 * * * *"}, "/cron", "minute"),
        ({"cron": "9" * 501}, "/cron", "at most 500"),
        ({"cron": 5}, "/cron", "string"),
        ({"timezone": "Europe/Berln"}, "/timezone", "did you mean Europe/Berlin"),
        ({"operation": "nothing"}, "/operation", "not a known operation"),
        ({"arguments": {"value": -1, "other": 2}}, "/arguments/value", "at least 0"),
        ({"operation": "anything", "arguments": {"a": "x" * 17_000}}, "/arguments", "16384 bytes"),
        ({"overlap": "queue"}, "/overlap", "'allow' or 'skip'"),
        ({"deadline": 0}, "/deadline", "greater than 0"),
        ({"run_at": "2026-11-21T12:00:00Z"}, "/run_at", "not a known field"),
        ({"email": "nobody"}, "/email", ""),
        ({"priority": "urgent"}, "/priority", "'low', 'normal' or 'high'"),
    ],
)
def test_a_body_that_is_no_schedule_is_refused_with_its_place(client, store, changes, pointer, sentence):
    found = faults(put(client, **changes))

    assert list(found) == [pointer]
    assert sentence in found[pointer]
    assert store.schedules() == []


def test_there_are_no_more_than_can_be_shown(client, store):
    for number in range(MOST_SCHEDULES):
        store.client.zadd(store.keys.schedules, {f"other-{number}": 1})

    answer = put(client)

    assert (answer.status_code, answer.json["type"]) == (409, "urn:errand:schedules-full")


def test_the_api_document_has_every_route_of_schedules(client):
    paths = client.get("/apispec.json").json["paths"]

    assert set(paths["/schedules"]) == {"get"}
    assert set(paths["/schedules/{name}"]) == {"get", "put", "delete"}
    assert all(way["tags"] == ["schedules"] for way in paths["/schedules/{name}"].values())
