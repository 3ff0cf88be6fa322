"""Several people are told of one job, each by himself and of what the job names: real processes, a real mail server."""

import re

import pytest
import requests

from errand.process.waiting import until
from tests.support.mails import sentence
from tests.support.smtp import SmtpSink
from tests.support.stack import running
from tests.support.view import Page

SUM = {"operation": "sum", "value": 30, "other": 10}


@pytest.fixture(scope="module")
def sink():
    with SmtpSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def stack(valkey, sink, tmp_path_factory):
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "SMTP_URL": sink.url}
    env |= {"MAIL_ALLOW": "email.com,bücher.example", "MAIL_RATE": "5", "MAIL_PAUSE": "0.1"}
    with running(tmp_path_factory.mktemp("recipients"), env) as stack:
        yield stack


def notes(stack, job_id):
    rows = stack.get(f"/jobs/{job_id}").json()["notifications"]
    return {(row["to"], row["kind"]): row["state"] for row in rows}


def settled(stack, job_id):
    """Wait until nobody is to be told any more, and give how that ended."""

    def ended():
        states = notes(stack, job_id)
        return states if "pending" not in states.values() else None

    stack.finished(job_id)
    return until(ended, 20, "all are told")


def mails_to(sink, address):
    return [sentence(mail.message["Subject"]) for mail in sink.messages if mail.recipients == [address]]


def test_each_is_mailed_by_himself_and_who_is_refused_is_told_once_more_on_demand(stack, sink):
    sink.answers["RCPT"] = lambda argument: "550 no such user" if "b@email.com" in argument else None
    job_id = stack.compute(email=["a@email.com", "b@email.com", "c@bücher.example"])
    first = settled(stack, job_id)
    sink.answers.clear()

    again = stack.post(f"/jobs/{job_id}/notifications/retry")

    assert {state for (to, _), state in first.items() if to == "b@email.com"} == {"failed"}
    assert {state for (to, _), state in first.items() if to != "b@email.com"} == {"sent"}
    assert again.status_code == 202
    assert set(settled(stack, job_id).values()) == {"sent"}
    for address in ("a@email.com", "b@email.com", "c@xn--bcher-kva.example"):
        assert sorted(mails_to(sink, address)) == ["API Notification", "Your operation is complete!"], address
    ids = [mail.message["Message-ID"] for mail in sink.messages]
    assert len(set(ids)) == len(ids) == 6
    assert stack.post(f"/jobs/{job_id}/notifications/retry").status_code == 409


def test_only_what_is_named_is_told(stack, sink):
    quiet = stack.compute(email="quiet@email.com", notify={"on": ["failed"]})
    loud = stack.compute("div", 1, 0, email="loud@email.com", notify={"on": ["failed"]})

    assert settled(stack, loud) == {("loud@email.com", "failure"): "sent"}
    stack.finished(quiet)
    assert notes(stack, quiet) == {}
    assert mails_to(sink, "quiet@email.com") == []
    assert mails_to(sink, "loud@email.com") == ["An error occurred"]


def test_who_unsubscribed_is_mailed_no_more_and_the_job_says_so(stack, sink):
    stack.store.unsubscribe("gone@email.com")

    job_id = stack.compute(email=["gone@email.com", "there@email.com"])

    states = settled(stack, job_id)
    assert {state for (to, _), state in states.items() if to == "gone@email.com"} == {"unsubscribed"}
    assert {state for (to, _), state in states.items() if to == "there@email.com"} == {"sent"}
    assert mails_to(sink, "gone@email.com") == []


def test_an_address_gets_its_share_and_nobody_else_waits(stack, sink):
    jobs = [stack.compute(email=["much@email.com"]) for _ in range(4)]
    for job_id in jobs:
        stack.finished(job_id)
    other = stack.compute(email="little@email.com")

    assert set(settled(stack, other).values()) == {"sent"}
    until(lambda: len(mails_to(sink, "much@email.com")) == 5, 20, "its share")
    rows = [row for job_id in jobs for row in stack.get(f"/jobs/{job_id}").json()["notifications"]]
    waiting = [row for row in rows if row["state"] == "pending"]
    assert len(waiting) == 3
    assert {row["attempts"] for row in waiting} == {0}
    assert all("waits for its turn" in row["last_error"] for row in waiting)


def test_who_may_not_be_mailed_is_refused_at_every_door(stack):
    before = stack.store.client.zcard(stack.store.keys.jobs)
    there = {"operation": "sum", "arguments": {"value": 30, "other": 10}, "email": "a@other.com"}

    answers = [
        stack.post("/compute", {**SUM, "email": ["a@email.com", "a@other.com"]}),
        stack.post("/jobs", there),
        stack.put("/schedules/mine", {**there, "cron": "0 0 1 1 *"}),
    ]
    batch = stack.post("/jobs/batch", {"jobs": [there]})

    places = [[fault["pointer"] for fault in answer.json()["errors"]] for answer in answers]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert places == [["/email/1"], ["/email"], ["/email"]]
    assert batch.json()["jobs"][0]["error"]["errors"][0]["pointer"] == "/jobs/0/email"
    assert requests.get(f"{stack.url}/schedules/mine", timeout=10).status_code == 404
    assert stack.store.client.zcard(stack.store.keys.jobs) == before


def test_a_job_that_is_run_again_by_hand_keeps_its_attempts_its_errors_and_its_mails(stack, sink):
    address = "again@email.com"
    job_id = stack.compute("div", 30, 0, email=address)
    settled(stack, job_id)

    assert stack.post(f"/jobs/{job_id}/retry").status_code == 202
    settled(stack, job_id)

    job = stack.get(f"/jobs/{job_id}").json()
    told = [(row["kind"], row["state"], row["attempts"]) for row in job["notifications"]]
    assert told == [("receipt", "sent", 1), ("failure", "sent", 1), ("failure", "sent", 1)]
    assert len(mails_to(sink, address)) == 3, "as many as the job lists"
    assert stack.get(f"/jobs/{job_id}/attempts").json() == {"attempts": job["attempts"]}
    assert [(each["number"], each["outcome"]) for each in job["attempts"]] == [(1, "failed"), (2, "failed")]
    assert [each["error"] for each in job["attempts"]] == [job["error"]] * 2
    mails = [mail.message for mail in sink.messages if mail.recipients == [address]]
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert len({mail["In-Reply-To"] for mail in mails[1:]}) == 1, "one thread"
    link = re.search(r"http://\S+/view/\S+", mails[-1].get_body(("plain",)).get_content())
    page = Page(requests.get(link[0], timeout=10).text)
    assert "Its attempts" in page.text
    assert page.text.count("division by zero") == 3, "the job's error, and that of each attempt"
