"""The list of jobs: newest first, page by page, filtered by its parameters."""

import pytest

from schemas.jobs import Jobs
from tests.support.jobs import accepted, claimed, succeeded


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [job.id for job in Jobs.model_validate(answer.json).jobs]


def test_without_jobs_the_list_is_empty(client):
    assert client.get("/jobs").json == {"jobs": [], "next": None}


def test_a_row_is_the_job_without_what_may_be_large(client, api_store):
    lease = claimed(api_store, email="name@email.com", tags=("a", "b"), priority="high")
    succeeded(api_store, lease)

    [row] = client.get("/jobs").json["jobs"]

    job = client.get(f"/jobs/{lease.id}").json
    whole = {"arguments", "result", "webhook_url", "timezone", "attempts", "notifications", "position"}
    assert job.keys() - row.keys() == whole
    assert row == {name: value for name, value in job.items() if name in row}


def test_pages_follow_each_other_from_the_newest_to_the_oldest(client, api_store):
    made = [accepted(api_store) for _ in range(7)]
    seen, cursor = [], None

    while True:
        answer = client.get("/jobs", query_string={"limit": 3, **({"cursor": cursor} if cursor else {})})
        seen += ids(answer)
        accepted(api_store)  # what arrives meanwhile moves nothing
        if not (cursor := answer.json["next"]):
            break

    assert seen == made[::-1]


def test_a_page_has_fifty_jobs_by_default(client, api_store):
    for _ in range(60):
        accepted(api_store)

    assert len(ids(client.get("/jobs"))) == 50
    assert len(ids(client.get("/jobs?limit=200"))) == 60


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=succeeded", ["done"]),
        ("operation=div", ["divided"]),
        ("tag=x:y/z@a", ["tagged"]),
        ("operation=sum&tag=x:y/z@a&status=accepted&limit=1", ["tagged"]),
        ("tag=none", []),
        ("operation=%00%F0%9F%98%80", []),
        ("status=cancelled", []),
    ],
)
def test_parameters_narrow_the_list(client, api_store, query, found):
    done = claimed(api_store, operation="mul")
    succeeded(api_store, done)
    names = {
        done.id: "done",
        accepted(api_store, operation="div"): "divided",
        accepted(api_store, tags=("x:y/z@a",)): "tagged",
    }

    assert [names[id_] for id_ in ids(client.get(f"/jobs?{query}"))] == found


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=1_0", "limit"),
        ("limit=٣", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=done", "status"),
        ("status=", "status"),
        ("operation=", "operation"),
        ("operation=" + "x" * 201, "operation"),
        ("tag=a%20b", "tag"),
        ("tag=a%0A", "tag"),
        ("cursor=x", "cursor"),
        ("cursor=12345678901234567", "cursor"),
        ("page=2", "page"),
        ("%F0%9F%98%80" * 100, "😀" * 64),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_its_name(client, query, parameter):
    answer = client.get(f"/jobs?{query}")

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (answer.json["type"], answer.json["parameter"]) == ("urn:errand:parameter-refused", parameter)
    assert f"`{parameter}`" in answer.json["detail"]


def test_while_the_store_is_away_there_is_no_list(client, api_store):
    api_store.go_away()

    assert client.get("/jobs").status_code == 503
