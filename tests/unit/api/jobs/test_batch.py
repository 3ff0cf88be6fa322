"""A batch: each job is checked by itself, the valid ones are stored in one step, and the order is kept."""

import json

import pytest

GOOD = {"operation": "anything", "arguments": {"n": 1}}
ADD = {"operation": "add", "arguments": {"value": 1, "other": 2}, "email": "name@email.com"}
BAD = {"operation": "add", "arguments": {"value": -1, "other": 2, "a/b~c": 1}}


def post(client, jobs, key=None):
    answer = client.post("/jobs/batch", json={"jobs": jobs}, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code == 202, answer.text
    return answer


def places(row):
    return [error["pointer"] for error in row["error"]["errors"]]


def test_a_batch_is_stored_in_its_order_and_each_job_is_rung(client, api_store, doorbells):
    answer = post(client, [GOOD, ADD, GOOD])

    ids = [row["id"] for row in answer.json["jobs"]]
    assert (answer.json["accepted"], answer.json["rejected"]) == (3, 0)
    assert [(job["id"], job["operation"]) for job in api_store.accepted] == list(
        zip(ids, ["anything", "add", "anything"], strict=True)
    )
    queues = [(ids[0], "heavy.cpu"), (ids[1], "compute.cpu"), (ids[1], "mail"), (ids[2], "heavy.cpu")]
    assert doorbells.rung == queues


def test_bad_jobs_come_back_in_their_places_and_hold_up_no_others(client, api_store):
    wishes = [GOOD, BAD, 7, {"operation": "nope"}, {**GOOD, "delay": 1, "run_at": "2026-11-21T09:30:00Z"}, GOOD, None]

    answer = post(client, wishes)

    rows = answer.json["jobs"]
    assert (answer.json["accepted"], answer.json["rejected"]) == (2, 5)
    assert [row.get("id") for row in rows if "id" in row] == [job["id"] for job in api_store.accepted]
    assert [index for index, row in enumerate(rows) if "id" in row] == [0, 5]
    told = {index: places(row) for index, row in enumerate(rows) if "error" in row}
    assert told == {
        1: ["/jobs/1/arguments/value", "/jobs/1/arguments/a~1b~0c"],
        2: ["/jobs/2"],
        3: ["/jobs/3/operation"],
        4: ["/jobs/4/run_at"],
        6: ["/jobs/6"],
    }
    assert rows[1]["error"]["type"] == "urn:errand:job-refused"
    assert rows[1]["error"]["status"] == 422


def test_a_batch_of_only_bad_jobs_is_answered(client, api_store, doorbells):
    answer = post(client, [BAD, BAD])

    assert (answer.json["accepted"], answer.json["rejected"]) == (0, 2)
    assert api_store.accepted == doorbells.rung == []


def test_a_thousand_jobs_cost_one_round_trip_of_the_store(client, api_store):
    def calls():
        return api_store.client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)

    post(client, [GOOD])
    before = calls()

    answer = post(client, [{"operation": "add", "arguments": {"value": n, "other": n}} for n in range(1000)])

    assert answer.json["accepted"] == 1000
    assert calls() - before <= 2, "the batch, and perhaps the catalogue"
    assert [json.loads(job["arguments"])["value"] for job in api_store.accepted[1:]] == list(range(1000))


def test_a_flood_of_bad_jobs_gets_an_answer_of_limited_length(client):
    worst = {"operation": "anything", **{f"{number}{'x' * 12}": 1 for number in range(45)}}

    answer = post(client, [worst] * 1000)

    assert answer.json["rejected"] == 1000
    assert len(answer.data) < 2_000_000


def test_before_the_first_worker_started_a_batch_is_refused_with_503(client, api_store):
    api_store.withdraw_all()

    answer = client.post("/jobs/batch", json={"jobs": [GOOD]})

    assert (answer.status_code, answer.json["type"]) == (503, "urn:errand:catalogue-empty")


class TestIdempotencyKey:
    def test_the_same_batch_again_is_the_same_jobs(self, client, api_store, doorbells):
        first, again = (post(client, [GOOD, BAD, GOOD], key="k-1") for _ in range(2))

        assert first.json == again.json
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(api_store.accepted) == len(doorbells.rung) == 2

    @pytest.mark.parametrize("other", [[GOOD], [GOOD, GOOD, GOOD], [GOOD, ADD]], ids=["fewer", "more", "others"])
    def test_the_key_of_another_batch_is_refused_and_nothing_is_stored(self, client, api_store, other):
        post(client, [GOOD, GOOD], key="k-1")

        answer = client.post("/jobs/batch", json={"jobs": other}, headers={"Idempotency-Key": "k-1"})

        assert (answer.status_code, answer.json["type"]) == (422, "urn:errand:idempotency-key-reused")
        assert len(api_store.accepted) == 2

    def test_a_job_and_a_batch_can_not_have_the_same_key(self, client):
        post(client, [GOOD, GOOD], key="k-1")

        answer = client.post("/jobs", json=GOOD, headers={"Idempotency-Key": "k-1"})

        assert (answer.status_code, answer.json["type"]) == (422, "urn:errand:idempotency-key-reused")

    def test_no_other_key_reaches_a_job_inside_of_a_batch(self, client):
        post(client, [GOOD, GOOD], key="k-1")

        answers = [client.post("/jobs", json=GOOD, headers={"Idempotency-Key": key}) for key in ("k-1#1", '"k-1 #1"')]

        assert [answer.status_code for answer in answers] == [202, 400]
