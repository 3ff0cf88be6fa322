"""Reports: what `GET /jobs/{id}` shows of a job, and when it has to be shown again."""

import json

import pytest

from schemas.jobs import Job

ID = "01a1fc96-17ae-711f-a888-b75326918fe5"
ACCEPTED = {
    "status": "accepted",
    "operation": "sum",
    "arguments": '{"value":30,"other":10}',
    "service": "compute",
    "fence": "0",
    "attempt": "0",
    "max_attempts": "3",
    "created_at": "1763700000007",
}
RECEIPT = {"channel": "mail", "to": "a@example.com", "kind": "receipt", "attempts": 1, "since": 1763700000007}
SUCCEEDED = {
    **ACCEPTED,
    "status": "succeeded",
    "attempt": "1",
    "started_at": "1763700000100",
    "finished_at": "1763700001000",
    "expires_at": "1763786401000",
    "result": "1000000000000000000000000000001",
    "email": "a@example.com",
    "note:mail:result": json.dumps({**RECEIPT, "kind": "result", "state": "pending"}),
    "note:mail:receipt": json.dumps({**RECEIPT, "state": "sent", "sent_at": 1763700000200}),
}


def test_a_waiting_job_is_shown_and_says_when_to_ask_again(client, api_store):
    api_store.records[ID] = ACCEPTED

    answer = client.get(f"/jobs/{ID}")

    assert answer.status_code == 200
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {
        "id": ID,
        "operation": "sum",
        "arguments": {"value": 30, "other": 10},
        "status": "accepted",
        "result": None,
        "error": None,
        "attempt": 0,
        "max_attempts": 3,
        "progress": None,
        "tags": [],
        "created_at": "2025-11-21T04:40:00.007Z",
        "started_at": None,
        "finished_at": None,
        "expires_at": None,
        "notifications": [],
        "links": {"self": f"/jobs/{ID}", "events": f"/jobs/{ID}/events"},
    }


def test_a_finished_job_is_shown_with_its_exact_result_and_who_was_told(client, api_store):
    api_store.records[ID] = SUCCEEDED

    answer = client.get(f"/jobs/{ID}")

    job = Job.model_validate(answer.json)
    assert "Retry-After" not in answer.headers
    assert job.result == 1000000000000000000000000000001
    assert job.expires_at == "2025-11-22T04:40:01.000Z"
    assert [(note.kind, note.state, note.sent_at) for note in job.notifications] == [
        ("receipt", "sent", "2025-11-21T04:40:00.200Z"),
        ("result", "pending", None),
    ]


def test_a_failed_job_is_shown_with_its_error_and_no_result(client, api_store):
    error = {"type": "ZeroDivisionError", "message": "division by zero"}
    api_store.records[ID] = {**ACCEPTED, "status": "failed", "attempt": "1", "error": json.dumps(error)}

    answer = client.get(f"/jobs/{ID}")

    assert (answer.json["error"], answer.json["result"]) == (error, None)
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("result", ["null", '"</script>\\u0000\\ud800 😀"', '{"a":[1e-7,0.1,9007199254740993]}'])
def test_a_result_is_shown_exactly_as_it_was_stored(client, api_store, result):
    api_store.records[ID] = {**SUCCEEDED, "result": result}

    assert f'"result":{result},' in client.get(f"/jobs/{ID}").text


def test_an_unchanged_job_costs_a_304(client, api_store):
    api_store.records[ID] = SUCCEEDED
    etag = client.get(f"/jobs/{ID}").headers["ETag"]

    answer = client.get(f"/jobs/{ID}", headers={"If-None-Match": f'"other", W/{etag}'})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    "change",
    [
        {"status": "running"},
        {"attempt": "2"},
        {"note:mail:result": json.dumps({**RECEIPT, "kind": "result", "state": "sent", "sent_at": 1})},
    ],
)
def test_a_job_that_changed_is_shown_again(client, api_store, change):
    api_store.records[ID] = SUCCEEDED
    etag = client.get(f"/jobs/{ID}").headers["ETag"]
    api_store.records[ID] = {**SUCCEEDED, **change}

    assert client.get(f"/jobs/{ID}", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("job_id", [ID[:-1] + "0", ID.upper(), "x", "%00", f"{ID}%0a", "a" * 5000, "é", ID[:-1]])
def test_a_job_that_is_not_there_is_told_so(client, api_store, job_id):
    api_store.records[ID] = ACCEPTED

    answer = client.get(f"/jobs/{job_id}")

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["type"] == "urn:errand:job-unknown"


def test_an_id_that_can_be_none_is_not_looked_up(client, api_store):
    api_store.down = True

    assert client.get("/jobs/x").status_code == 404
    assert client.get(f"/jobs/{ID}").status_code == 503
