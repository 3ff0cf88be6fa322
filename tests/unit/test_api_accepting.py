"""Accepting: what is stored, which doorbells ring, and what the client is told."""

import json
import re

import pytest

from errand.store import NewJob

JOB = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
MESSAGE = "Please wait the calculation, you'll receive an email with results"


def test_a_computation_is_stored_announced_and_answered_with_its_id(client, api_store, doorbells):
    answer = client.post("/compute", json=JOB)

    [stored] = api_store.accepted
    job = f"/jobs/{stored.id}"
    assert answer.status_code == 202
    assert answer.headers["Location"] == job
    assert answer.json == {
        "status": "accepted",
        "id": stored.id,
        "message": MESSAGE,
        "links": {"self": job, "events": f"{job}/events"},
    }
    assert stored == NewJob(stored.id, "sum", '{"value":30,"other":10}', "name@email.com", "compute", 3)
    assert doorbells.rung == [(stored.id, "compute"), (stored.id, "mail")]


def test_ids_are_uuids_of_version_7_in_the_order_of_their_making(client, api_store):
    for _ in range(50):
        client.post("/compute", json=JOB)

    ids = [job.id for job in api_store.accepted]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id_) for id_ in ids)


@pytest.mark.parametrize("email", [{}, {"email": None}])
def test_without_an_address_nobody_is_to_be_told(client, api_store, doorbells, email):
    answer = client.post("/compute", json={"operation": "div", "value": 1, "other": 0, **email})

    assert answer.status_code == 202
    assert api_store.accepted[0].email is None
    assert [service for _, service in doorbells.rung] == ["compute"]


@pytest.mark.parametrize("value", [10**18, -(10**18), 0, 1e18, -1e18, 0.1, 1e-300, 5e-324, -0.0])
def test_every_number_in_range_is_stored_as_it_was_sent(client, api_store, value):
    answer = client.post("/compute", json={"operation": "sum", "value": value, "other": 0})

    stored = json.loads(api_store.accepted[0].arguments)["value"]
    assert answer.status_code == 202
    assert (repr(stored), type(stored)) == (repr(value), type(value))


def test_a_job_is_stored_for_the_service_and_with_the_limits_its_operation_published(client, api_store, doorbells):
    arguments = {"n": 10**60, "t": "snö \u0000 😀", "deep": [{"__type__": "decimal", "__value__": "1.5"}]}

    answer = client.post("/jobs", json={"operation": "anything", "arguments": arguments})

    [stored] = api_store.accepted
    assert answer.status_code == 202
    assert answer.json["id"] == stored.id
    assert json.loads(stored.arguments) == arguments
    assert (stored.service, stored.max_attempts) == ("heavy", 7)
    assert doorbells.rung == [(stored.id, "heavy")]


def test_arguments_may_be_left_out_where_the_operation_needs_none(client, api_store):
    assert client.post("/jobs", json={"operation": "anything"}).status_code == 202
    assert api_store.accepted[0].arguments == "{}"


def test_many_jobs_cost_few_readings_of_the_catalogue(client, api_store):
    for _ in range(20):
        client.post("/jobs", json={"operation": "anything"})

    assert len(api_store.accepted) == 20
    assert api_store.readings <= 2


def test_computing_needs_no_worker_to_have_been_there(client, api_store):
    api_store.operations = {}

    assert client.post("/compute", json=JOB).status_code == 202


def test_a_charset_beside_the_media_type_does_no_harm(client):
    answer = client.post("/compute", data=json.dumps(JOB), content_type="Application/JSON; charset=utf-8")

    assert answer.status_code == 202
