"""Whatever clients write stands in the JSON of a job, and in the event its webhook gets, exactly as they wrote it."""

import json

import pytest

from errand.settings import Settings
from schemas.status import Status
from tests.support import hostile
from tests.support.hostile import VICTIM, as_json
from tests.support.jobs import claimed, ended
from tests.support.web import WebServer
from workers.outbound.address_guard import AddressGuard, target
from workers.outbound.on_hub import post
from workers.webhooks.cloudevents import CONTENT_TYPE, event_id, event_of

TEXTS = hostile.texts("http://127.0.0.1:9/", "/etc/passwd")
NAMES = sorted(name for name, text in TEXTS.items() if len(text) < 100_000)
URL = "https://example.com/hook"


def finished(store, text: str, status: Status) -> str:
    """Have a job end that has the text wherever there is room for one; give its id."""
    lease = claimed(store, arguments=as_json({text: [text]}), webhook_url=URL)
    answer = {text: [text, None]} if status is Status.SUCCEEDED else {"type": text, "message": text}
    ended(store, lease, status, as_json(answer))
    return lease.id


@pytest.mark.parametrize("name", NAMES)
def test_the_report_on_a_job_has_what_was_written_and_is_nothing_but_json(app, store, name):
    text = TEXTS[name]
    with app.test_client() as client:
        done, failed = (finished(store, text, status) for status in (Status.SUCCEEDED, Status.FAILED))

        for path in (f"/jobs/{done}", f"/jobs/{failed}", "/jobs"):
            answer = client.get(path)

            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert VICTIM not in str(answer.headers)
            json.loads(answer.data)

        report = json.loads(client.get(f"/jobs/{done}").data)
        assert (report["arguments"], report["result"]) == ({text: [text]}, {text: [text, None]})
        assert json.loads(client.get(f"/jobs/{failed}").data)["error"] == {"type": text, "message": text}


@pytest.fixture(scope="module")
def receiver():
    with WebServer() as server:
        yield server


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED])
def test_a_webhook_gets_what_was_written_as_one_request(store, receiver, name, status):
    text = TEXTS[name]
    job_id = finished(store, text, status)
    [notice] = store.claim_webhooks(1, 60, 1_000_000, 50, {})
    body, before = event_of(notice, Settings(_env_file=None)), len(receiver.requests)
    guarded_by = AddressGuard(Settings(_env_file=None, guard_allow="127.0.0.0/8").allowed_networks)
    headers = {"Content-Type": CONTENT_TYPE, "webhook-id": event_id(notice)}

    answer = post(target(receiver.url()), headers=headers, body=body, seconds=5, most=10, guarded_by=guarded_by)

    assert answer.status == 200
    [head], [came] = receiver.requests[before:], receiver.bodies[before:]
    assert came == body
    assert VICTIM not in head
    assert {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line} <= HEADERS
    event = json.loads(came)
    assert (event["subject"], event["data"]["arguments"]) == (job_id, {text: [text]})
    if status is Status.SUCCEEDED:
        assert event["data"]["result"] == {text: [text, None]}
    else:
        assert event["data"]["error"] == {"type": text, "message": text}


HEADERS = {"host", "content-type", "content-length", "webhook-id", "accept-encoding", "connection", "user-agent"}
