"""Control: cancel, run again and delete, if the job's status allows it; otherwise, a sentence says why not."""

import json

import pytest

from schemas.status import Status
from tests.support.jobs import accepted, claimed, ended, succeeded

UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"
ERROR = '{"type":"ZeroDivisionError","message":"division by zero"}'


def failed(store, **fields):
    lease = claimed(store, **fields)
    ended(store, lease, Status.FAILED, ERROR)
    return lease.id


def refused(answer):
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert answer.json["type"] == "urn:errand:move-refused"
    return answer.json["detail"]


def test_a_waiting_job_is_cancelled_at_once_and_its_owner_is_notified(client, api_store, doorbells):
    job_id = accepted(api_store, email="name@email.com")

    answer = client.post(f"/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json["status"]) == (202, "cancelled")
    assert answer.json == client.get(f"/jobs/{job_id}").json
    assert doorbells.rung == [(job_id, "mail")]


def test_a_running_job_is_asked_to_stop_as_often_as_you_like(client, api_store):
    lease = claimed(api_store)

    answers = [client.post(f"/jobs/{lease.id}/cancel") for _ in range(2)]

    assert [(answer.status_code, answer.json["status"]) for answer in answers] == [(202, "running")] * 2
    assert api_store.renew([lease], 30).cancel == {lease.id}


@pytest.mark.parametrize("spelling", [str.upper, str.title])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("GET /jobs/{}", 200),
        ("GET /jobs/{}/log", 200),
        ("HEAD /jobs/{}/events", 200),
        ("POST /jobs/{}/retry", 202),
        ("POST /jobs/{}/cancel", 409),
        ("POST /jobs/{}/notifications/retry", 409),
        ("DELETE /jobs/{}", 204),
    ],
)
def test_an_id_is_the_same_in_upper_case(client, api_store, asked, status, spelling):
    job_id = failed(api_store)

    method, path = asked.format(spelling(job_id)).split()
    answer = client.open(path, method=method)

    assert answer.status_code == status
    assert spelling(job_id) not in f"{answer.text}{answer.headers}"


def test_a_job_that_has_ended_can_not_be_cancelled(client, api_store):
    lease = claimed(api_store)
    succeeded(api_store, lease)

    assert "already ended (succeeded)" in refused(client.post(f"/jobs/{lease.id}/cancel"))


@pytest.mark.parametrize("queue", ["compute", "other.cpu"])
def test_a_failed_job_runs_again_and_is_rung(client, api_store, doorbells, queue):
    job_id = failed(api_store, queue=queue)

    answer = client.post(f"/jobs/{job_id}/retry")

    assert answer.status_code == 202
    assert (answer.json["status"], answer.json["attempt"], answer.json["error"]) == ("accepted", 1, None)
    [attempt] = answer.json["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["error"]) == (1, "failed", json.loads(ERROR))
    assert doorbells.rung == [(job_id, queue)]


def test_a_cancelled_job_runs_again(client, api_store):
    job_id = accepted(api_store)
    client.post(f"/jobs/{job_id}/cancel")

    assert client.post(f"/jobs/{job_id}/retry").json["status"] == "accepted"


def test_a_job_that_waits_or_succeeded_is_not_run_again(client, api_store, doorbells):
    lease = claimed(api_store)
    running = refused(client.post(f"/jobs/{lease.id}/retry"))
    succeeded(api_store, lease)

    assert "is `running`" in running
    assert "is `succeeded`" in refused(client.post(f"/jobs/{lease.id}/retry"))
    assert doorbells.rung == []


def test_a_finished_job_is_deleted(client, api_store):
    job_id = failed(api_store)

    answer = client.delete(f"/jobs/{job_id}")

    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"/jobs/{job_id}").status_code == 404
    assert client.delete(f"/jobs/{job_id}").status_code == 404


def test_an_unfinished_job_is_not_deleted(client, api_store):
    job_id = accepted(api_store)

    assert "cancel the job first" in refused(client.delete(f"/jobs/{job_id}"))
    assert client.get(f"/jobs/{job_id}").status_code == 200


@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "%00", UNKNOWN.upper()])
@pytest.mark.parametrize(("method", "path"), [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")])
def test_an_unknown_job_can_not_be_changed(client, method, path, job_id):
    answer = client.open(f"/jobs/{job_id}{path}", method=method)

    assert (answer.status_code, answer.json["type"]) == (404, "urn:errand:job-unknown")


@pytest.mark.parametrize(("method", "path"), [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")])
def test_while_the_store_is_away_nothing_changes(client, api_store, method, path):
    api_store.go_away()

    answer = client.open(f"/jobs/{UNKNOWN}{path}", method=method)

    assert (answer.status_code, answer.json["type"]) == (503, "urn:errand:store-unavailable")
