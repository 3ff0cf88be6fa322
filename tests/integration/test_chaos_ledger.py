"""The ledger of `make chaos` finds what it is there to find: who tests the tester."""

import json
from dataclasses import replace
from time import time

import pytest
import requests

from chaos.clients import ClientResults
from chaos.evidence import Evidence
from chaos.fault_injector import InjectedFault
from chaos.faults import KINDS, ChaosFault, faults
from chaos.ledger import reconcile
from chaos.observer import Observations, StatusChange
from chaos.plan import ChaosPlan
from chaos.receiver import ReceivedWebhook, Receiver
from chaos.workload import PlannedJob, planned_jobs
from errand.store import Outcome
from errand.trust.signing import new_secret, parse_keys, signatures
from schemas.status import Status
from tests.support.jobs import claim, new_job

WISH = PlannedJob("mark", 0, {"operation": "tally", "email": "name@email.com"}, "succeeded", 40, has_webhook=True)


@pytest.fixture
def evidence(store, tmp_path):
    """All that is found after one job went well."""
    job = new_job(operation="tally", email="name@email.com")
    store.accept([job])
    [lease] = claim(store)
    store.commit([Outcome(lease, Status.SUCCEEDED, "40")])
    (tmp_path / WISH.mark).write_text("1.0\n")
    observations = Observations()
    observations.steps[job.id] = [
        StatusChange(1, "accepted", 0),
        StatusChange(2, "running", 1),
        StatusChange(3, "succeeded", 1),
    ]
    mails = [(1.5, f"<{job.id}.receipt@localhost>"), (3.5, f"<{job.id}.result@localhost>")]
    webhooks = [ReceivedWebhook(3.5, f"{job.id}-result", "errand.job.succeeded", "")]
    return Evidence([WISH], ClientResults(ids={WISH.mark: job.id}), observations, store, tmp_path, mails, webhooks, [])


def only(evidence):
    """Give the id of the only job."""
    return evidence.results.ids[WISH.mark]


def test_a_job_that_went_well_leaves_nothing_to_say(evidence):
    ledger = reconcile(evidence)

    assert ledger.holds
    assert (ledger.accepted, ledger.starts, ledger.executions, ledger.mails, ledger.webhooks) == (1, 1, 1, 2, 1)
    assert ledger.mails_per_job == {2: 1}
    assert not ledger.doubled
    assert not ledger.webhooks_doubled
    assert not ledger.unreported


def test_a_job_that_is_gone_is_lost(evidence):
    evidence.store.client.delete(evidence.store.keys.job(only(evidence)))

    ledger = reconcile(evidence)

    assert len(ledger.lost) == 1
    assert not ledger.holds


def test_a_job_that_ended_twice_is_seen(evidence):
    evidence.observations.steps[only(evidence)].append(StatusChange(4, "succeeded", 2))

    ledger = reconcile(evidence)

    assert len(ledger.twice) == 1
    assert not ledger.holds


def test_a_wrong_result_is_seen(evidence):
    evidence.store.client.hset(evidence.store.keys.job(only(evidence)), "result", "41")

    ledger = reconcile(evidence)

    assert len(ledger.wrong) == 1
    assert not ledger.holds


def test_a_tiny_job_may_be_executed_on_an_offer_that_came_to_nothing(evidence):
    (evidence.executions / WISH.mark).write_text("1.0\n2.0\n")

    ledger = reconcile(evidence)

    assert (ledger.offered, ledger.unexplained) == (1, [])
    assert ledger.holds


def test_an_execution_without_a_start_is_seen(evidence):
    (evidence.executions / WISH.mark).write_text("1.0\n2.0\n3.0\n")

    ledger = reconcile(evidence)

    assert len(ledger.unexplained) == 1
    assert not ledger.holds


def test_a_mail_that_never_came_is_missing(evidence):
    evidence.mails.pop()

    ledger = reconcile(evidence)

    assert ledger.missing == [f"{only(evidence)} result"]
    assert not ledger.holds


def test_a_mail_that_came_twice_needs_a_fault_that_explains_it(evidence):
    evidence.mails.append((33.5, f"<{only(evidence)}.result@localhost>"))
    kill = InjectedFault(ChaosFault(0, "mail", "kill", 1), "mail-1", 3.6, 1, 1, 3.6)

    bare = reconcile(evidence)
    evidence = Evidence(**{**vars(evidence), "injected": [kill]})
    explained = reconcile(evidence)

    assert len(bare.doubled) == len(explained.doubled) == 1
    assert not bare.holds
    assert explained.holds


def test_a_webhook_that_never_came_is_missing(evidence):
    evidence.webhooks.clear()

    ledger = reconcile(evidence)

    assert ledger.webhooks_missing == [f"{only(evidence)}-result"]
    assert not ledger.holds


def test_a_webhook_that_came_twice_needs_a_fault_that_explains_it(evidence):
    evidence.webhooks.append(ReceivedWebhook(18.5, f"{only(evidence)}-result", "errand.job.succeeded", ""))
    stop = InjectedFault(ChaosFault(0, "webhooks", "stop", 6), "webhooks-1", 3.0, 1, 1, 9.0)

    bare = reconcile(evidence)
    evidence = Evidence(**{**vars(evidence), "injected": [stop]})
    explained = reconcile(evidence)

    assert len(bare.webhooks_doubled) == len(explained.webhooks_doubled) == 1
    assert not bare.holds
    assert explained.holds


@pytest.mark.parametrize(
    "webhook",
    [
        ReceivedWebhook(3.5, "{id}-result", "errand.job.succeeded", "its signature is wrong"),
        ReceivedWebhook(3.5, "{id}-result", "errand.job.failed", ""),
        ReceivedWebhook(3.5, "{id}-failure", "errand.job.failed", ""),
    ],
)
def test_a_webhook_that_says_something_wrong_is_seen(evidence, webhook):
    evidence.webhooks[:] = [replace(webhook, event_id=webhook.event_id.format(id=only(evidence)))]

    ledger = reconcile(evidence)

    assert ledger.wrong
    assert not ledger.holds


def test_one_seed_makes_one_run():
    plan = ChaosPlan(jobs=200, faults=100, seed=7)

    assert planned_jobs(plan) == planned_jobs(plan)
    assert faults(plan) == faults(plan)
    assert {(fault.kind, fault.what) for fault in faults(plan)} == {(kind, what) for kind, what, _ in KINDS}


class TestReceiver:
    """It takes what is signed as Standard Webhooks have it, and misbehaves when it is results to."""

    SECRET = new_secret()

    @pytest.fixture
    def receiver(self):
        with Receiver(self.SECRET) as receiver:
            yield receiver

    def send(self, receiver, secret=SECRET, event_id="id-result", timeout=5.0):
        body = json.dumps({"specversion": "1.0", "id": "id-result", "type": "errand.job.succeeded"}).encode()
        signed = signatures(parse_keys(secret), event_id, int(time()), body)
        headers = {"webhook-id": event_id, "webhook-timestamp": str(int(time())), "webhook-signature": signed}
        return requests.post(receiver.url, body, headers=headers, timeout=timeout).status_code

    def test_a_good_webhook_is_taken(self, receiver):
        assert self.send(receiver) == 200
        assert [(each.event_id, each.fault) for each in receiver.taken] == [("id-result", "")]

    def test_a_signature_with_another_key_and_an_event_of_another_id_are_seen(self, receiver):
        self.send(receiver, new_secret())
        self.send(receiver, event_id="other-result")

        assert "signature" in receiver.taken[0].fault
        assert "no event of this id" in receiver.taken[1].fault

    def test_what_is_not_answered_with_200_is_not_taken(self, receiver):
        receiver.behave("500")
        assert self.send(receiver) == 500
        for how in ("drop", "refuse"):
            receiver.behave(how)
            with pytest.raises(requests.ConnectionError):
                self.send(receiver)
        receiver.behave("hang")
        with pytest.raises(requests.Timeout):
            self.send(receiver, timeout=0.2)

        assert not receiver.taken

    def test_it_takes_again_what_comes_afterwards(self, receiver):
        receiver.behave("refuse")
        receiver.behave("well")

        assert self.send(receiver) == 200
