"""Accepting: what is stored, which doorbells ring, and what the client is answered."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from api.events.prefer import wait_in
from errand.process.waiting import until
from tests.support.jobs import claim, succeeded

JOB = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
ANYTHING = {"operation": "anything"}
MESSAGE = "Please wait the calculation, you'll receive an email with results"


def in_seconds(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_computation_is_stored_announced_and_answered_with_its_id(client, api_store, doorbells):
    answer = client.post("/compute", json=JOB)

    [stored] = api_store.accepted
    job = f"/jobs/{stored['id']}"
    assert answer.status_code == 202
    assert answer.headers["Location"] == job
    assert answer.json == {
        "status": "accepted",
        "id": stored["id"],
        "message": MESSAGE,
        "links": {"self": job, "events": f"{job}/events"},
    }
    told = {name: stored[name] for name in ("operation", "arguments", "email", "queue", "max_attempts")}
    assert told == {
        "operation": "sum",
        "arguments": '{"value":30,"other":10}',
        "email": "name@email.com",
        "queue": "compute",
        "max_attempts": "3",
    }
    assert doorbells.rung == [(stored["id"], "compute"), (stored["id"], "mail")]


def test_ids_are_uuids_of_version_7_in_the_order_of_their_making(client, api_store):
    for _ in range(50):
        client.post("/compute", json=JOB)

    ids = [job["id"] for job in api_store.accepted]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", id_) for id_ in ids)


@pytest.mark.parametrize("email", [{}, {"email": None}])
def test_without_an_address_there_are_no_notifications(client, api_store, doorbells, email):
    answer = client.post("/compute", json={"operation": "div", "value": 1, "other": 0, **email})

    assert answer.status_code == 202
    assert "email" not in api_store.accepted[0]
    assert [queue for _, queue in doorbells.rung] == ["compute"]


@pytest.mark.parametrize("value", [10**18, -(10**18), 0, 1e18, -1e18, 0.1, 1e-300, 5e-324, -0.0])
def test_every_number_in_range_is_stored_as_it_was_sent(client, api_store, value):
    answer = client.post("/compute", json={"operation": "sum", "value": value, "other": 0})

    stored = json.loads(api_store.accepted[0]["arguments"])["value"]
    assert answer.status_code == 202
    assert (repr(stored), type(stored)) == (repr(value), type(value))


def test_a_job_waits_in_the_queue_and_has_the_limits_its_operation_published(client, api_store, doorbells):
    arguments = {"n": 10**60, "t": "snö \u0000 😀", "deep": [{"__type__": "decimal", "__value__": "1.5"}]}

    answer = client.post("/jobs", json={"operation": "anything", "arguments": arguments})

    [stored] = api_store.accepted
    assert answer.status_code == 202
    assert answer.json["id"] == stored["id"]
    assert json.loads(stored["arguments"]) == arguments
    assert (stored["queue"], stored["max_attempts"]) == ("heavy.cpu", "7")
    assert doorbells.rung == [(stored["id"], "heavy.cpu")]


def test_the_clients_limits_go_before_the_operations(client, api_store):
    wishes = {"max_attempts": 2, "timeout": 1.5, "priority": "high", "tags": ["a", "b:c/d@e.f-g_h"]}

    answer = client.post("/jobs", json={**ANYTHING, **wishes})

    job = client.get(answer.headers["Location"]).json
    assert {name: job[name] for name in wishes} == wishes


@pytest.mark.parametrize("weight", [{"tiny": True}, {"io": True}, {"service": "other"}], ids=["tiny", "io", "other"])
def test_each_weight_has_a_queue_of_its_own(client, api_store, doorbells, weight):
    api_store.show({"name": "weighed", "arguments": {}, **weight})

    client.post("/operations/weighed", json={})

    [stored] = api_store.accepted
    queue = {"tiny": "compute", "io": "compute.io"}.get(next(iter(weight)), "other.cpu")
    assert doorbells.rung == [(stored["id"], queue)]


def test_arguments_may_be_left_out_where_the_operation_needs_none(client, api_store):
    assert client.post("/jobs", json=ANYTHING).status_code == 202
    assert api_store.accepted[0]["arguments"] == "{}"


def test_an_operation_has_a_path_of_its_own(client, api_store):
    answer = client.post("/operations/add", json={"arguments": {"value": 1, "other": 2}, "tags": ["mine"]})

    [stored] = api_store.accepted
    assert answer.status_code == 202
    assert (stored["operation"], json.loads(stored["arguments"])) == ("add", {"value": 1, "other": 2})
    assert json.loads(stored["tags"]) == ["mine"]


def test_many_jobs_cost_few_readings_of_the_catalogue(client, api_store):
    for _ in range(20):
        client.post("/jobs", json=ANYTHING)

    assert len(api_store.accepted) == 20
    assert api_store.readings <= 2


def test_an_operation_that_can_not_be_read_is_left_out(client, api_store):
    api_store.publish_catalogue(
        {"odd": "{}", "odder": '{"name":"odder","arguments":{"type":"nonsense"}}', "oddest": "["}
    )

    assert client.post("/jobs", json=ANYTHING).status_code == 202
    assert [each["name"] for each in client.get("/operations").json["operations"]] == ["add", "anything", "tree"]


def test_compute_needs_no_worker(client, api_store):
    api_store.withdraw_all()

    assert client.post("/compute", json=JOB).status_code == 202


def test_a_charset_beside_the_media_type_does_no_harm(client):
    answer = client.post("/compute", data=json.dumps(JOB), content_type="Application/JSON; charset=utf-8")

    assert answer.status_code == 202


@pytest.mark.parametrize("when", [{"delay": 60}, {"delay": 0.5}, {"run_at": "in a minute"}])
def test_a_job_for_later_waits_and_nobody_is_rung(client, doorbells, when):
    if "run_at" in when:
        when = {"run_at": in_seconds(60)}

    answer = client.post("/jobs", json={**ANYTHING, **when})

    job = client.get(answer.headers["Location"]).json
    assert answer.json["status"] == "accepted"
    assert job["status"] == "scheduled"
    assert job["run_at"] > job["created_at"]
    assert doorbells.rung == []


@pytest.mark.parametrize(
    "when",
    [
        {"delay": 0},
        {"run_at": "2020-02-29T12:00:00+01:00"},
        {"run_at": "0000-01-01t00:00:00z"},
        {"delay": None, "run_at": None},
    ],
)
def test_a_time_that_is_over_means_at_once(client, api_store, doorbells, when):
    answer = client.post("/jobs", json={**ANYTHING, **when})

    assert client.get(answer.headers["Location"]).json["status"] == "accepted"
    assert len(doorbells.rung) == 1


def test_the_latest_time_there_is_can_be_stored_and_shown(client):
    answer = client.post("/jobs", json={**ANYTHING, "run_at": "9999-12-31T23:59:60.9999-23:59"})

    assert client.get(answer.headers["Location"]).json["run_at"] == "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize("form", ["seconds from now", "a time"])
def test_a_deadline_is_a_time_or_seconds_from_now(client, form):
    deadline = 60.5 if form == "seconds from now" else in_seconds(60.5)

    answer = client.post("/jobs", json={**ANYTHING, "deadline": deadline})

    job = client.get(answer.headers["Location"]).json
    created, end = (datetime.fromisoformat(job[name]) for name in ("created_at", "deadline"))
    assert end - created == pytest.approx(timedelta(seconds=60.5), abs=timedelta(seconds=5))


class TestIdempotencyKey:
    def test_the_same_again_is_the_same_job(self, client, api_store, doorbells):
        first, again = (client.post("/compute", json=JOB, headers={"Idempotency-Key": "k-1"}) for _ in range(2))

        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json == again.json
        assert first.headers["Location"] == again.headers["Location"]
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(api_store.accepted) == 1
        assert len(doorbells.rung) == 2

    def test_path_and_order_and_form_of_the_key_make_no_difference(self, client, api_store):
        client.post("/compute", json=JOB, headers={"Idempotency-Key": "k-1"})
        api_store.show({"name": "sum", "arguments": {}, "tiny": True})
        arguments = {"other": 10, "value": 30}

        answers = [
            client.post("/jobs", json=body, headers={"Idempotency-Key": '"k-1"'})
            for body in (
                {"email": "name@email.com", "arguments": arguments, "operation": "sum"},
                {
                    "operation": "sum",
                    "arguments": arguments,
                    "email": "name@email.com",
                    "priority": "normal",
                    "tags": [],
                },
            )
        ]
        own = client.post(
            "/operations/sum",
            json={"arguments": arguments, "email": "name@email.com"},
            headers={"Idempotency-Key": '"k-1"'},
        )

        assert [each.headers.get("Idempotent-Replayed") for each in (*answers, own)] == ["true"] * 3

    @pytest.mark.parametrize("other", [{"other": 11}, {"operation": "sub"}, {"email": None}, {"value": 30.0}], ids=str)
    def test_the_key_of_another_job_is_refused(self, client, api_store, other):
        client.post("/compute", json=JOB, headers={"Idempotency-Key": "k-1"})

        answer = client.post("/compute", json={**JOB, **other}, headers={"Idempotency-Key": "k-1"})

        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
        assert answer.json["type"] == "urn:errand:idempotency-key-reused"
        assert len(api_store.accepted) == 1

    @pytest.mark.parametrize("key", ["", '""', "a b", "ä", "a" * 256, "\x7f", " "])
    def test_an_invalid_key_is_refused(self, client, api_store, key):
        answer = client.post("/compute", json=JOB, headers={"Idempotency-Key": key})

        assert answer.status_code == 400
        assert answer.json["type"] == "urn:errand:idempotency-key-refused"
        assert api_store.accepted == []

    @pytest.mark.parametrize(
        "key", ["a", "!", "~" * 255, '"' + "~" * 254, '""' + "~" * 253, '"', '"""', '""a', '"a', "\\", r'"a\"b\\c"']
    )
    def test_any_visible_text_is_a_key(self, client, key):
        for _ in range(2):
            answer = client.post("/compute", json=JOB, headers={"Idempotency-Key": key})

        assert answer.headers["Idempotent-Replayed"] == "true"

    def test_a_job_sent_again_after_its_deadline_is_still_the_same_job(self, client):
        body = {**ANYTHING, "delay": 0.001, "deadline": in_seconds(0.2)}
        first = client.post("/jobs", json=body, headers={"Idempotency-Key": "k-1"})
        until(lambda: client.post("/jobs", json=body).status_code == 422, 5, "the deadline is over")

        again = client.post("/jobs", json=body, headers={"Idempotency-Key": "k-1"})

        assert again.json == first.json


class TestPreferWait:
    def test_a_job_that_finishes_in_time_is_the_answer(self, patient_client, api_store):
        patient_client.post("/compute", json=JOB, headers={"Idempotency-Key": "k-1"})
        [lease] = claim(api_store)
        succeeded(api_store, lease)

        headers = {"Prefer": "wait=5", "Idempotency-Key": "k-1"}
        answer = patient_client.post("/compute", json=JOB, headers=headers)

        assert answer.status_code == 200
        assert (answer.json["status"], answer.json["result"]) == ("succeeded", 40)
        assert answer.headers["Preference-Applied"] == "wait=5"
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["Location"] == f"/jobs/{lease.id}"

    @pytest.mark.parametrize("path", ["/compute", "/jobs", "/operations/anything"])
    def test_a_job_that_does_not_is_accepted(self, patient_client, path):
        body = {"/compute": JOB, "/jobs": ANYTHING}.get(path, {})

        answer = patient_client.post(path, json=body, headers={"Prefer": "respond-async, wait=0"})

        assert answer.status_code == 202
        assert answer.headers["Preference-Applied"] == "wait=0"

    def test_without_prefer_nobody_waits(self, patient_client):
        answer = patient_client.post("/compute", json=JOB, headers={"Prefer": "return=minimal"})

        assert answer.status_code == 202
        assert "Preference-Applied" not in answer.headers

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("wait=5", 5),
            ("Wait = 7", 7),
            ('respond-async, wait="8"; x=y', 8),
            ("wait=31", 30),
            ("wait=" + "9" * 900, 30),
            ("wait=0007", 7),
            ('foo="a, wait=3", wait=9', 9),
            ("wait=3, wait=5", 3),
            ("foo; wait=3", None),
            ("wait", None),
            ("wait=-1", None),
            ("wait=soon", None),
            ("", None),
            ('"' + '\\"' * 30_000, None),
        ],
    )
    def test_the_header_is_read_with_tolerance(self, header, seconds):
        assert wait_in(header) == seconds


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_a_body_with_a_byte_order_mark_and_no_encoding_is_accepted(client, api_store, coding):
    body = b'\xef\xbb\xbf{"operation": "sum", "value": 30, "other": 10}'
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}

    assert client.post("/compute", data=body, headers=headers).status_code == 202
    assert len(api_store.accepted) == 1


@pytest.mark.parametrize(
    ("body", "is_mailed"),
    [
        ({"email": "name@email.com"}, True),
        ({"email": ["a@email.com", "b@email.com"]}, True),
        ({"email": "name@email.com", "notify": {"on": ["succeeded"]}}, True),
        ({"email": "name@email.com", "notify": {"on": ["accepted"]}}, False),
        ({}, False),
        ({"email": None}, False),
    ],
)
@pytest.mark.parametrize("path", ["/compute", "/jobs", "/operations/add"])
def test_a_mail_is_promised_only_if_one_is_sent(client, path, body, is_mailed):
    numbers = {"value": 30, "other": 10}
    work = {"/compute": {"operation": "sum", **numbers}, "/jobs": {"operation": "add", "arguments": numbers}}

    answer = client.post(path, json=work.get(path, numbers if path == "/compute" else {"arguments": numbers}) | body)

    assert answer.status_code == 202, answer.text
    assert (answer.json["message"] == MESSAGE) is is_mailed
    assert ("email" in answer.json["message"]) is is_mailed


@pytest.mark.parametrize("path", ["/compute", "/jobs", "/operations/add", "/jobs/batch"])
class TestTimeZone:
    def post(self, client, path, zone):
        numbers = {"value": 30, "other": 10}
        job = {"operation": "add", "arguments": numbers, "timezone": zone}
        bodies = {
            "/compute": {"operation": "sum", **numbers, "timezone": zone},
            "/operations/add": {"arguments": numbers, "timezone": zone},
            "/jobs/batch": {"jobs": [job, job]},
        }
        return client.post(path, json=bodies.get(path, job))

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Etc/GMT+12", "UTC", None])
    def test_a_job_keeps_its_zone(self, client, api_store, path, zone):
        assert self.post(client, path, zone).status_code == 202

        assert {job.get("timezone") for job in api_store.accepted} == {zone}

    @pytest.mark.parametrize(
        ("zone", "hint"),
        [
            ("Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Z", "UTC"),
            ("", "UTC"),
            ("../etc/x", "UTC"),
        ],
    )
    def test_an_unknown_zone_is_refused_with_a_hint_and_nothing_is_stored(self, client, api_store, path, zone, hint):
        answer = self.post(client, path, zone)

        problem = answer.json
        if path == "/jobs/batch":
            assert (problem["accepted"], problem["rejected"]) == (0, 2)
            problem = problem["jobs"][1]["error"]
        [error] = problem["errors"]
        assert (problem["status"], problem["type"]) == (422, "urn:errand:job-refused")
        assert error["pointer"] == ("/jobs/1/timezone" if path == "/jobs/batch" else "/timezone")
        assert hint in error["detail"]
        assert api_store.accepted == []
