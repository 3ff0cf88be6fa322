"""`email` and `notify`: what is stored, who is notified, and what is refused at its place."""

import pytest

from api.app import create_app
from tests.support.jobs import claim, succeeded

SUM = {"operation": "sum", "value": 30, "other": 10}
ANYTHING = {"operation": "anything"}
TWO = ["a@email.com", "b@bücher.example"]
STORED = "a@email.com b@xn--bcher-kva.example"
CRON = {"cron": "0 6 * * *", "operation": "anything"}


@pytest.fixture
def strict_client(settings, api_store, doorbells):
    """A client of an API that may mail to two domains only."""
    allowed = settings.model_copy(update={"mail_allow": "email.com,.bücher.example"})
    return create_app(allowed, api_store, doorbells).test_client()


def refused(answer):
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    return {error["pointer"]: error["detail"] for error in answer.json["errors"]}


def told(client, answer):
    job = client.get(answer.headers["Location"]).json
    return [(note["to"], note["kind"]) for note in job["notifications"]]


@pytest.mark.parametrize(
    ("path", "body"), [("/compute", SUM), ("/jobs", ANYTHING), ("/operations/anything", {})], ids=str
)
def test_several_addresses_are_stored_and_each_has_its_receipt(client, api_store, doorbells, path, body):
    answer = client.post(path, json={**body, "email": TWO})

    [stored] = api_store.accepted
    assert stored["email"] == STORED
    assert told(client, answer) == [("a@email.com", "receipt"), ("b@xn--bcher-kva.example", "receipt")]
    assert [queue for _, queue in doorbells.rung][1:] == ["mail"], "rung once for all of them"


def test_a_list_of_one_is_the_same_request_as_the_address_alone(client, api_store):
    headers = {"Idempotency-Key": "once"}

    answers = [client.post("/compute", json={**SUM, "email": email}, headers=headers) for email in ("a@b.c", ["a@b.c"])]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert len(api_store.accepted) == 1


@pytest.mark.parametrize("other", [{"email": ["b@b.c", "a@b.c"]}, {"notify": {"on": ["failed"]}}])
def test_other_addresses_or_another_notify_are_another_request(client, other):
    body, headers = {**SUM, "email": ["a@b.c", "b@b.c"]}, {"Idempotency-Key": "once"}
    client.post("/compute", json=body, headers=headers)

    assert client.post("/compute", json=body | other, headers=headers).status_code == 422


@pytest.mark.parametrize("wish", [{}, {"notify": None}])
def test_without_notify_everything_is_notified_and_nothing_is_stored(client, api_store, wish):
    client.post("/jobs", json={**ANYTHING, "email": "a@email.com", **wish})

    assert "notify" not in api_store.accepted[0]


def test_a_client_that_wants_only_the_end_gets_no_receipt(client, api_store, doorbells):
    answer = client.post("/compute", json={**SUM, "email": TWO, "notify": {"on": ["failed", "succeeded"]}})

    assert api_store.accepted[0]["notify"] == "succeeded failed"
    assert told(client, answer) == []
    assert [queue for _, queue in doorbells.rung] == ["compute"], "there is nothing to mail yet"
    assert succeeded(api_store, claim(api_store)[0]).to_tell == ("mail",)
    assert [kind for _, kind in told(client, answer)] == ["result", "result"]


def test_a_batch_takes_lists_of_addresses_and_notify_and_refuses_job_by_job(strict_client, api_store):
    good = {**ANYTHING, "email": TWO[:1], "notify": {"on": ["failed"]}}
    rows = [
        good,
        {**ANYTHING, "email": ["a@email.com", "b@other.com"]},
        {**ANYTHING, "notify": {"on": ["never"]}},
        {**ANYTHING, "email": "b@other.com"},
    ]

    answer = strict_client.post("/jobs/batch", json={"jobs": rows})

    assert (answer.status_code, answer.json["accepted"], answer.json["rejected"]) == (202, 1, 3)
    faults = [row["error"]["errors"][0]["pointer"] for row in answer.json["jobs"][1:]]
    assert faults == ["/jobs/1/email/1", "/jobs/2/notify/on/0", "/jobs/3/email"]
    [stored] = api_store.accepted
    assert (stored["email"], stored["notify"]) == ("a@email.com", "failed")


@pytest.mark.parametrize(
    ("path", "body"), [("/compute", SUM), ("/jobs", ANYTHING), ("/operations/anything", {})], ids=str
)
def test_an_address_outside_mail_allow_is_refused_at_its_place_and_nothing_is_stored(
    strict_client, api_store, path, body
):
    mixed = ["a@email.com", "b@other.com", "c@sub.bücher.example", "d@sub.email.com"]

    faults = refused(strict_client.post(path, json={**body, "email": mixed}))
    alone = refused(strict_client.post(path, json={**body, "email": "b@other.com"}))

    assert list(faults) == ["/email/1", "/email/3"]
    assert list(alone) == ["/email"]
    assert "MAIL_ALLOW" in alone["/email"]
    assert "email.com, .xn--bcher-kva.example" in alone["/email"]
    assert api_store.accepted == []


def test_a_schedule_keeps_and_shows_addresses_and_notify(strict_client):
    wishes = {"email": ["a@email.com", "b@email.com"], "notify": {"on": ["failed"]}}

    several = strict_client.put("/schedules/several", json=CRON | wishes)
    one = strict_client.put("/schedules/one", json=CRON | {"email": ["a@email.com"]})
    none = strict_client.put("/schedules/none", json=CRON)
    other = strict_client.put("/schedules/other", json=CRON | {"email": ["a@email.com", "b@other.com"]})

    shown = [{name: answer.json[name] for name in wishes} for answer in (several, one, none)]
    assert shown == [wishes, {"email": "a@email.com", "notify": None}, {"email": None, "notify": None}]
    assert list(refused(other)) == ["/email/1"]
    assert strict_client.get("/schedules/other").status_code == 404
    again = strict_client.put("/schedules/several", json=CRON | wishes)
    assert (again.status_code, again.json) == (200, several.json), "what is shown can be sent again"


def test_the_document_describes_addresses_and_notify(client):
    schemas = client.get("/apispec.json").json["components"]["schemas"]
    one, several, none = schemas["ComputeRequest"]["properties"]["email"]["anyOf"]

    assert (several["minItems"], several["maxItems"], several["uniqueItems"]) == (1, 10, True)
    assert several["items"] == one
    assert none == {"type": "object", "enum": [None], "nullable": True}
    on = schemas["Notify"]["properties"]["on"]
    assert on["items"]["enum"] == ["accepted", "succeeded", "failed", "cancelled"]
    assert (on["minItems"], on["maxItems"], on["uniqueItems"]) == (1, 4, True)
