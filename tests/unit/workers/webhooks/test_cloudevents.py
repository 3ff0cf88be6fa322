"""What a webhook is sent: a CloudEvent that is the same each time, whatever became of the job since."""

import json

import pytest

from errand.presenting.report import render
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import DueJobNotification, JobEnding
from schemas.notifications import Channel, NoticeKind
from schemas.status import Status
from tests.support.notifications import due
from workers.webhooks.cloudevents import event_id, event_of

ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"
SETTINGS = Settings(_env_file=None)
DONE = {
    "operation": "sum",
    "status": "succeeded",
    "arguments": '{"value":30,"other":10}',
    "result": "40",
    "attempt": "1",
    "max_attempts": "3",
    "created_at": "1763700194123",
    "started_at": "1763700194130",
    "finished_at": "1763700194381",
    "expires_at": "1763786594381",
    "webhook_url": "https://example.com/hook",
    "note:webhook:result": '{"kind":"result","to":"https://example.com/hook","state":"pending","attempts":1}',
}
NO = '{"type":"ZeroDivisionError","message":"division by zero"}'
FAILED = JobEnding(Status.FAILED, NO, attempt=2, finished_at=1763700194381, run=0, started_at=1763700194130)


def notice(
    record: dict[str, str], kind: NoticeKind = NoticeKind.RESULT, attempt: int = 1, ending: JobEnding | None = None
) -> DueJobNotification:
    claimed = {"attempt": attempt, "since": 1763700194381, "to": record["webhook_url"]}
    return due(kind, ID, record, channel=Channel.WEBHOOK, ending=ending, **claimed)


def event(*args, **kwargs) -> dict:
    return json.loads(event_of(notice(*args, **kwargs), SETTINGS))


def test_an_event_has_what_cloudevents_ask_for():
    told = event(DONE)

    assert told.pop("data")
    assert told == {
        "specversion": "1.0",
        "id": f"{ID}-result",
        "source": "http://127.0.0.1:5000",
        "type": "errand.job.succeeded",
        "subject": ID,
        "time": "2025-11-21T04:43:14.381Z",
        "datacontenttype": "application/json",
    }


def test_its_source_is_where_clients_reach_the_api():
    settings = Settings(_env_file=None, public_url="https://errand.example.com/")

    assert json.loads(event_of(notice(DONE), settings))["source"] == "https://errand.example.com"


def test_its_links_begin_with_the_path_of_the_api():
    settings = Settings(_env_file=None, public_url="https://example.com/errand")

    data = json.loads(event_of(notice(DONE), settings))["data"]

    assert data["links"]["self"] == f"/errand/jobs/{ID}"


def test_its_data_is_the_job_as_the_api_shows_it_without_its_attempts_and_notifications():
    shown = json.loads(render(JobRecord.read(ID, DONE)))
    del shown["attempts"], shown["notifications"]

    assert event(DONE)["data"] == shown | {"omitted": []}


def test_numbers_stay_what_they_were():
    exact = "1000000000000000000000000000001.50"

    assert f'"result":{exact},'.encode() in event_of(notice(DONE | {"result": exact}), SETTINGS)


def test_what_is_too_long_is_left_out_and_named():
    record = {name: text for name, text in DONE.items() if name != "result"} | {"omitted": '["result"]'}

    data = event(record)["data"]

    assert (data["result"], data["omitted"]) == (None, ["result"])
    assert data["links"]["self"] == f"/jobs/{ID}"


@pytest.mark.parametrize(
    "since",
    [
        {"retries": "1", "status": "accepted", "attempt": "0"},
        {
            "retries": "1",
            "status": "running",
            "attempt": "1",
            "started_at": "1763700300000",
            "progress": '{"progress":0.5}',
        },
        {
            "retries": "2",
            "status": "succeeded",
            "result": "40",
            "finished_at": "1763700300000",
            "expires_at": "1763700900000",
        },
        {"retries": "1", "status": "succeeded", "omitted": '["result"]', "finished_at": "1763700300000"},
        {
            "retries": "1",
            "status": "failed",
            "error": '{"type":"Other","message":"other"}',
            "finished_at": "1763700300000",
        },
    ],
    ids=["waits again", "runs again", "went well since", "went well at length", "failed otherwise since"],
)
def test_a_job_that_was_run_again_is_told_of_as_it_had_ended(since):
    record = {name: text for name, text in DONE.items() if name not in {"result", "finished_at", "expires_at"}} | since

    told = event(record, NoticeKind.FAILURE, ending=FAILED)

    assert (told["type"], told["time"]) == ("errand.job.failed", "2025-11-21T04:43:14.381Z")
    data = told["data"]
    assert (data["status"], data["error"], data["attempt"], data["omitted"]) == ("failed", json.loads(NO), 2, [])
    assert (data["result"], data["progress"], data["expires_at"]) == (None, None, None)
    assert data["finished_at"] == told["time"]


def test_the_same_notification_is_the_same_event_each_time():
    first, second = notice(DONE), notice(DONE, attempt=2)

    assert event_id(first) == event_id(second)
    assert event_of(first, SETTINGS) == event_of(second, SETTINGS)


def test_no_full_stop_is_in_its_id():
    assert "." not in event_id(notice(DONE))
