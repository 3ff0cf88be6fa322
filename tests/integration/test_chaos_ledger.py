"""The ledger of `make chaos` finds what it is there to find: who tests the tester."""

import pytest

from chaos.clients import Told
from chaos.faults import KINDS, Fault, faults
from chaos.ledger import Evidence, settle
from chaos.plan import Plan
from chaos.saboteur import Done
from chaos.wishes import Wish, wishes
from chaos.witness import Seen, Step
from errand.store import Outcome
from schemas.status import Status
from tests.support.jobs import claim, new_job

WISH = Wish("mark", 0, {"operation": "tally", "email": "name@email.com"}, "succeeded", 40)


@pytest.fixture
def evidence(store, tmp_path):
    """All that is found after one job went well."""
    job = new_job(operation="tally", email="name@email.com")
    store.accept([job])
    [lease] = claim(store)
    store.commit([Outcome(lease, Status.SUCCEEDED, "40")], 60)
    (tmp_path / WISH.mark).write_text("1.0\n")
    seen = Seen()
    seen.steps[job.id] = [Step(1, "accepted", 0), Step(2, "running", 1), Step(3, "succeeded", 1)]
    mails = [(1.5, f"<{job.id}.receipt@localhost>"), (3.5, f"<{job.id}.result@localhost>")]
    return Evidence([WISH], Told(ids={WISH.mark: job.id}), seen, store, tmp_path, mails, [])


def only(evidence):
    """Give the id of the only job."""
    return evidence.told.ids[WISH.mark]


def test_a_job_that_went_well_leaves_nothing_to_say(evidence):
    ledger = settle(evidence)

    assert ledger.holds
    assert (ledger.accepted, ledger.starts, ledger.executions, ledger.mails) == (1, 1, 1, 2)
    assert not ledger.doubled
    assert not ledger.untold


def test_a_job_that_is_gone_is_lost(evidence):
    evidence.store.client.delete(evidence.store.keys.job(only(evidence)))

    ledger = settle(evidence)

    assert len(ledger.lost) == 1
    assert not ledger.holds


def test_a_job_that_ended_twice_is_seen(evidence):
    evidence.seen.steps[only(evidence)].append(Step(4, "succeeded", 2))

    ledger = settle(evidence)

    assert len(ledger.twice) == 1
    assert not ledger.holds


def test_a_wrong_result_is_seen(evidence):
    evidence.store.client.hset(evidence.store.keys.job(only(evidence)), "result", "41")

    ledger = settle(evidence)

    assert len(ledger.wrong) == 1
    assert not ledger.holds


def test_an_execution_without_a_start_is_seen(evidence):
    (evidence.executions / WISH.mark).write_text("1.0\n2.0\n")

    ledger = settle(evidence)

    assert len(ledger.unexplained) == 1
    assert not ledger.holds


def test_a_mail_that_never_came_is_missing(evidence):
    evidence.mails.pop()

    ledger = settle(evidence)

    assert ledger.missing == [f"{only(evidence)} result"]
    assert not ledger.holds


def test_a_mail_that_came_twice_needs_a_fault_that_explains_it(evidence):
    evidence.mails.append((33.5, f"<{only(evidence)}.result@localhost>"))
    kill = Done(Fault(0, "mail", "kill", 1), "mail-1", 3.6, 1, 1, 3.6)

    bare = settle(evidence)
    evidence = Evidence(**{**vars(evidence), "done": [kill]})
    explained = settle(evidence)

    assert len(bare.doubled) == len(explained.doubled) == 1
    assert not bare.holds
    assert explained.holds


def test_one_seed_makes_one_run():
    plan = Plan(jobs=200, faults=100, seed=7)

    assert wishes(plan) == wishes(plan)
    assert faults(plan) == faults(plan)
    assert {(fault.kind, fault.what) for fault in faults(plan)} == {(kind, what) for kind, what, _ in KINDS}
