"""Replays: new jobs with other arguments than the ended jobs they come from; and many jobs run again by one request."""

import json

import pytest

from api.jobs import replays
from schemas.replays import Retried
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, new_job

UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"
ERROR = '{"type":"ZeroDivisionError","message":"division by zero"}'
EDITS = {"arguments": {"other": 7}}
QUEUE = "compute.cpu"
"""Where jobs of the operations that are published wait; others stand in "compute"."""


def failed(store, status=Status.FAILED, **fields):
    lease = claimed(store, **{"operation": "add", **fields})
    ended(store, lease, status, ERROR)
    return lease.id


def fail_all(store):
    """Let all waiting jobs fail, and count them."""
    leases = [*claim(store, 1000), *claim(store, 1000, QUEUE)]
    for lease in leases:
        ended(store, lease, Status.FAILED, ERROR)
    return len(leases)


def retried(client, query, body=None, **headers):
    answer = client.post(f"/jobs/retry?{query}", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return Retried.model_validate(answer.json)


def refused(answer, status, kind):
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.text
    assert answer.json["type"] == f"urn:errand:{kind}"
    return answer.json


def statuses(store, ids):
    return [store.get(job_id).status for job_id in ids]


class TestOneReplay:
    def test_it_is_a_new_job_with_all_of_its_origin_but_the_arguments_that_are_sent(self, client, api_store, doorbells):
        chosen = {"timeout": 2.5, "max_attempts": 9, "priority": "high", "tags": ("a", "b")}
        chosen |= {"email": "name@email.com b@email.com", "notify": ("accepted", "failed"), "timezone": "Asia/Tokyo"}
        origin = failed(
            api_store, **chosen, arguments='{"value":12345678901234567890,"other":1}', deadline_in_ms=60_000
        )
        answer = client.get(f"/jobs/{origin}")
        before, etag = answer.json, answer.headers["ETag"]

        answer = client.post(f"/jobs/{origin}/retry", json=EDITS)

        job_id = answer.json["id"]
        assert (answer.status_code, answer.headers["Location"]) == (202, f"/jobs/{job_id}")
        assert answer.json["status"] == "accepted"
        assert (job_id, QUEUE) in doorbells.rung
        job = client.get(f"/jobs/{job_id}").json
        assert job["arguments"] == {"value": 12345678901234567890, "other": 7}
        assert (job["origin"], job["links"]["origin"]) == (origin, f"/jobs/{origin}")
        assert (job["tags"], job["deadline"]) == (["a", "b", f"origin:{origin}"], None)
        same = ("operation", "timeout", "max_attempts", "priority", "timezone")
        assert {name: job[name] for name in same} == {name: before[name] for name in same}
        assert [note["to"] for note in job["notifications"]] == ["name@email.com", "b@email.com"]
        assert api_store.get(job_id).notify == ("accepted", "failed")
        after = client.get(f"/jobs/{origin}", headers={"If-None-Match": etag})
        assert after.status_code == 200, "it has changed"
        links = before["links"] | {"replays": f"/jobs?tag=origin:{origin}"}
        assert after.json == before | {"replays": [job_id], "links": links}, "but for the link"
        assert [row["id"] for row in client.get(after.json["links"]["replays"]).json["jobs"]] == [job_id]
        assert [row["id"] for row in client.get(f"/jobs?tag=origin:{origin}").json["jobs"]] == [job_id]

    def test_its_webhook_is_its_origins(self, client, api_store):
        origin = failed(api_store, webhook_url="https://example.com/hook")

        job_id = client.post(f"/jobs/{origin}/retry", json=EDITS).json["id"]

        assert api_store.get(job_id).webhook_url == "https://example.com/hook"

    def test_a_replay_of_a_replay_comes_from_that_one_alone(self, client, api_store):
        origin = failed(api_store, tags=("origin:mine",))
        first = client.post(f"/jobs/{origin}/retry", json=EDITS).json["id"]
        client.post(f"/jobs/{first}/cancel")

        second = client.post(f"/jobs/{first}/retry", json={"arguments": {}}).json["id"]

        job = client.get(f"/jobs/{second}").json
        assert (job["origin"], job["tags"]) == (first, ["origin:mine", f"origin:{first}"])
        assert job["arguments"] == {"value": 30, "other": 7}

    @pytest.mark.parametrize("end", [Status.SUCCEEDED, Status.CANCELLED])
    def test_a_job_that_did_not_fail_can_be_replayed_as_well(self, client, api_store, end):
        origin = failed(api_store, end)

        assert client.post(f"/jobs/{origin}/retry", json=EDITS).status_code == 202

    def test_a_job_that_has_not_ended_can_not(self, client, api_store):
        job_id = accepted(api_store, operation="add")

        problem = refused(client.post(f"/jobs/{job_id}/retry", json=EDITS), 409, "move-refused")

        assert "is `accepted`" in problem["detail"]

    def test_arguments_that_do_not_fit_are_refused_by_their_places(self, client, api_store):
        origin = failed(api_store)

        answer = client.post(f"/jobs/{origin}/retry", json={"arguments": {"other": "x", "colour": 1}})

        problem = refused(answer, 422, "job-refused")
        assert {fault["pointer"] for fault in problem["errors"]} == {"/arguments/other", "/arguments/colour"}
        assert len(api_store.accepted) == 1

    def test_arguments_that_grow_too_large_with_the_old_ones_are_refused(self, client, api_store):
        origin = failed(api_store, operation="anything", arguments=json.dumps({"a": "x" * 600_000}))

        answer = client.post(f"/jobs/{origin}/retry", json={"arguments": {"b": "x" * 600_000}})

        assert refused(answer, 422, "job-refused")["errors"][0]["pointer"] == "/arguments"

    @pytest.mark.parametrize(("operation", "withdrawn"), [("gone", False), ("add", True)])
    def test_without_its_operation_nothing_can_be_replayed(self, client, api_store, operation, withdrawn):
        origin = failed(api_store, operation=operation)
        if withdrawn:
            api_store.withdraw_all()

        answer = client.post(f"/jobs/{origin}/retry", json=EDITS)

        refused(answer, *((503, "catalogue-empty") if withdrawn else (404, "operation-unknown")))

    def test_one_key_makes_one_replay_and_stands_for_no_other(self, client, api_store, doorbells):
        origin, other = failed(api_store), failed(api_store)
        key = {"Idempotency-Key": "k-1"}

        first, again = (client.post(f"/jobs/{origin}/retry", json=EDITS, headers=key) for _ in range(2))

        assert (again.json, again.headers["Idempotent-Replayed"]) == (first.json, "true")
        assert "Idempotent-Replayed" not in first.headers
        assert doorbells.rung == [(first.json["id"], QUEUE)]
        for job_id, body in ((other, EDITS), (origin, {"arguments": {"other": 8}})):
            refused(client.post(f"/jobs/{job_id}/retry", json=body, headers=key), 422, "idempotency-key-reused")

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"arguments":null}'])
    def test_without_arguments_the_job_itself_runs_again(self, client, api_store, body):
        origin = failed(api_store)

        answer = client.post(f"/jobs/{origin}/retry", data=body, content_type="application/json")

        assert (answer.status_code, answer.headers["Location"]) == (202, f"/jobs/{origin}")
        assert (answer.json["id"], answer.json["status"], answer.json["origin"]) == (origin, "accepted", None)
        assert len(api_store.accepted) == 1

    def test_there_is_nothing_to_replay_of_a_job_that_is_not_there(self, client):
        refused(client.post(f"/jobs/{UNKNOWN}/retry", json=EDITS), 404, "job-unknown")


@pytest.mark.parametrize("path", ["/jobs/{}/retry", "/jobs/retry?operation=add"])
class TestBodies:
    @pytest.mark.parametrize(
        ("sent", "refusal"),
        [
            ((b"{", "application/json"), (400, "body-unreadable")),
            ((b"{}", "text/plain"), (415, "media-type-unsupported")),
            ((b"[]", "application/json"), (422, "job-refused")),
            ((b'{"arguments":[]}', "application/json"), (422, "job-refused")),
            ((b'{"operation":"sum"}', "application/json"), (422, "job-refused")),
        ],
    )
    def test_an_invalid_body_is_refused_and_nothing_runs(self, client, api_store, path, sent, refusal):
        job_id = failed(api_store)

        answer = client.post(path.format(job_id), data=sent[0], content_type=sent[1])

        refused(answer, *refusal)
        assert statuses(api_store, [job_id]) == ["failed"]

    @pytest.mark.parametrize("body", [{}, EDITS])
    def test_an_invalid_key_is_refused(self, client, api_store, path, body):
        answer = client.post(path.format(failed(api_store)), json=body, headers={"Idempotency-Key": "k 1"})

        refused(answer, 400, "idempotency-key-refused")

    def test_a_body_that_is_too_large_is_refused(self, client, api_store, path):
        answer = client.post(path.format(failed(api_store)), data=b" " * 2**21, content_type="application/json")

        assert answer.status_code == 413


class TestMany:
    def test_all_that_match_run_again_the_oldest_first_and_no_others(self, client, api_store, doorbells):
        mine = [failed(api_store, tags=("x",), queue="other.cpu") for _ in range(3)]
        others = [
            failed(api_store),
            failed(api_store, Status.SUCCEEDED, tags=("x",)),
            failed(api_store, operation="sum"),
        ]
        called_off = failed(api_store, Status.CANCELLED, tags=("x",))

        done = retried(client, "operation=add&tag=x")

        assert (done.retried, done.jobs, done.rejected, done.next) == (3, mine, [], None)
        assert statuses(api_store, mine) == ["accepted"] * 3
        assert statuses(api_store, [*others, called_off]) == ["failed", "succeeded", "failed", "cancelled"]
        assert doorbells.rung == [(job_id, "other.cpu") for job_id in mine]
        assert retried(client, "tag=x&status=cancelled").jobs == [called_off]

    @pytest.mark.parametrize("body", [None, EDITS])
    def test_page_follows_page_and_meets_no_job_twice_though_all_fail_again_at_once(self, client, api_store, body):
        before, seen, cursor = [failed(api_store) for _ in range(7)], [], ""

        for _ in range(4):
            done = retried(client, f"operation=add&limit=2{cursor}", body)
            assert fail_all(api_store) == done.retried
            failed(api_store)  # also what comes meanwhile is left alone
            seen += done.jobs
            cursor = f"&cursor={done.next}"

        assert done.next is None
        origins = [api_store.get(job_id).origin or job_id for job_id in seen]
        assert origins == before

    def test_with_arguments_each_has_a_replay_and_stays_as_it_was(self, client, api_store, doorbells):
        origins = [failed(api_store, arguments=f'{{"value":{n},"other":1}}', tags=("x",)) for n in range(3)]

        done = retried(client, "tag=x", EDITS)

        jobs = [client.get(f"/jobs/{job_id}").json for job_id in done.jobs]
        assert [job["origin"] for job in jobs] == origins
        assert [job["arguments"] for job in jobs] == [{"value": n, "other": 7} for n in range(3)]
        assert statuses(api_store, origins) == ["failed"] * 3
        assert doorbells.rung == [(job_id, QUEUE) for job_id in done.jobs]

    def test_jobs_that_can_not_be_replayed_are_listed_and_the_others_are_replayed(self, client, api_store):
        good = failed(api_store, tags=("x",))
        unlike = failed(api_store, tags=("x",), operation="add", arguments='{"value":-1,"other":1}')
        gone = failed(api_store, tags=("x",), operation="gone")

        done = retried(client, "tag=x", EDITS)

        assert (done.retried, api_store.get(done.jobs[0]).origin) == (1, good)
        told = {row.id: row.error for row in done.rejected}
        assert told.keys() == {unlike, gone}
        assert [fault.pointer for fault in told[unlike].errors] == ["/arguments/value"]
        assert (told[gone].status, told[gone].type) == (404, "urn:errand:operation-unknown")

    def test_a_request_that_is_sent_again_under_its_key_replays_nothing_twice(self, client, api_store, doorbells):
        origins = [failed(api_store) for _ in range(2)]
        key = {"Idempotency-Key": "k-1"}
        first = retried(client, "operation=add", EDITS, **key)
        assert fail_all(api_store) == 2
        failed(api_store, tags=("late",))

        again = retried(client, "operation=add", EDITS, **key)

        assert again.jobs[:2] == first.jobs
        assert [api_store.get(job_id).origin for job_id in first.jobs] == origins
        assert again.retried == 3, "what has failed since is replayed as well; the replays themselves are not"
        assert len(doorbells.rung) == 3
        other = client.post("/jobs/retry?operation=add", json={"arguments": {"other": 8}}, headers=key)
        refused(other, 422, "idempotency-key-reused")

    @pytest.mark.parametrize("body", [None, EDITS])
    def test_a_second_request_leaves_out_what_the_first_has_replayed(self, client, api_store, doorbells, body):
        origins = [failed(api_store, tags=("x",)) for _ in range(3)]
        first = retried(client, "tag=x", EDITS)
        assert first.retried == 3
        late = failed(api_store, tags=("x",))

        second = retried(client, "tag=x&limit=1", body)

        assert [api_store.get(job_id).origin or job_id for job_id in second.jobs] == [late]
        assert statuses(api_store, origins) == ["failed"] * 3
        assert retried(client, "tag=x", EDITS).jobs == []
        assert len(doorbells.rung) == 4

    def test_a_request_under_another_key_replays_nothing_twice(self, client, api_store):
        failed(api_store)
        assert retried(client, "operation=add", EDITS, **{"Idempotency-Key": "k-1"}).retried == 1

        again = retried(client, "operation=add", EDITS, **{"Idempotency-Key": "k-2"})

        assert (again.retried, again.rejected) == (0, [])

    def test_a_job_that_was_replayed_can_be_named_and_run_again_or_replayed_once_more(self, client, api_store):
        origin = failed(api_store)
        ids = [client.post(f"/jobs/{origin}/retry", json=EDITS).json["id"] for _ in range(2)]
        assert client.get(f"/jobs/{origin}").json["replays"] == ids

        answer = client.post(f"/jobs/{origin}/retry")

        assert (answer.status_code, answer.json["status"], answer.json["replays"]) == (202, "accepted", ids)

    def test_what_was_cancelled_and_replayed_is_left_out_as_well(self, client, api_store):
        failed(api_store, Status.CANCELLED)
        assert retried(client, "operation=add&status=cancelled", EDITS).retried == 1

        assert retried(client, "operation=add&status=cancelled").retried == 0

    def test_a_replay_of_a_job_that_was_run_again_has_the_attempts_of_one_run(self, client, api_store):
        origin = failed(api_store, max_attempts=2)
        client.post(f"/jobs/{origin}/retry")
        fail_all(api_store)
        assert client.get(f"/jobs/{origin}").json["max_attempts"] == 3

        replay = client.post(f"/jobs/{origin}/retry", json=EDITS).json["id"]
        assert client.get(f"/jobs/{replay}").json["max_attempts"] == 2

    def test_a_request_stops_before_it_copies_too_much(self, client, api_store, monkeypatch):
        monkeypatch.setattr(replays, "MOST_BYTES", 1000)
        for _ in range(5):
            failed(api_store, operation="anything")

        done = retried(client, "operation=anything", {"arguments": {"a": "x" * 400}})

        assert (done.retried, done.next is None) == (2, False)
        assert retried(client, f"operation=anything&cursor={done.next}", EDITS).retried == 3

    def test_nothing_matches_where_nothing_is(self, client):
        assert retried(client, "operation=add") == Retried(retried=0, jobs=[], rejected=[], next=None)

    def test_three_hundred_jobs_cost_a_few_round_trips(self, client, api_store):
        api_store.accept([new_job(operation="add") for n in range(300)])
        assert fail_all(api_store) == 300

        def calls():
            return api_store.client.info("commandstats")["cmdstat_evalsha"]["calls"]

        before = calls()
        assert retried(client, "operation=add").retried == 300
        assert calls() - before == 4, "two pages, each run again by one script"

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("", "operation"),
            ("status=failed", "operation"),
            ("operation=add&status=succeeded", "status"),
            ("operation=add&limit=1001", "limit"),
            ("operation=add&limit=0", "limit"),
            ("operation=add&cursor=1", "cursor"),
            ("operation=add&cursor=1-12345678901234567", "cursor"),
            ("operation=add&operation=sum", "operation"),
            ("operation=", "operation"),
            ("tag=a%20b", "tag"),
            ("tag=a&force=1", "force"),
        ],
    )
    def test_a_parameter_that_is_missing_or_makes_no_sense_is_refused_by_its_name(
        self, client, api_store, query, parameter
    ):
        job_id = failed(api_store, tags=("a",))

        problem = refused(client.post(f"/jobs/retry?{query}"), 400, "parameter-refused")

        assert (problem["parameter"], f"`{parameter}`" in problem["detail"]) == (parameter, True)
        assert statuses(api_store, [job_id]) == ["failed"]

    def test_while_the_store_is_away_nothing_runs(self, client, api_store):
        api_store.go_away()

        refused(client.post("/jobs/retry?operation=add"), 503, "store-unavailable")

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_its_path_is_no_jobs(self, client, method):
        assert client.open("/jobs/retry", method=method).status_code == 405
