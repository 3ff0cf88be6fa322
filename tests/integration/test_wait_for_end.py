"""Waiting for a job: who would rather wait is told when it has ended, and is let go when he must be."""

from threading import Semaphore, Thread

import pytest

from api.app import create_app
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.events.wait_for_end import wait_until_final
from errand.process.waiting import until
from schemas.status import Status
from tests.support.api import SilentRelay
from tests.support.jobs import accepted, claim, claimed, ended, succeeded

UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"


@pytest.fixture
def waits(app, watch):
    """Waits for a job in a request of its own, in a thread; gives what to ask for the answer."""

    def begin(job_id, seconds=30.0, place=True):
        answers = []

        def run():
            environ = {SLOT_KEY: LongRequestSlot(Semaphore(0))} if place else {}
            with app.test_request_context(environ_overrides=environ):
                answers.append(wait_until_final(job_id, seconds))

        thread = Thread(target=run, daemon=True)
        thread.start()

        def answer():
            thread.join(20)
            return answers[0]

        return answer

    return begin


def test_who_waits_is_told_when_the_job_has_ended(waits, store, watch):
    job_id = accepted(store)
    answer = waits(job_id)
    until(lambda: watch.count, 5, "somebody waits")

    [lease] = claim(store)
    ended(store, lease, Status.FAILED, '{"type":"E","message":"m"}')

    assert answer() is True
    assert watch.count == 0


def test_a_job_that_is_tried_again_has_not_ended(waits, store, watch):
    job_id = accepted(store, max_attempts=1)
    answer = waits(job_id)
    until(lambda: watch.count, 5, "somebody waits")

    [first] = claim(store)
    ended(store, first, Status.ACCEPTED)
    [second] = claim(store)
    succeeded(store, second)

    assert answer() is True
    assert store.get(job_id).status == "succeeded"


def test_who_waits_for_what_has_ended_is_told_at_once(waits, store):
    lease = claimed(store)
    succeeded(store, lease)

    assert waits(lease.id)() is True


@pytest.mark.parametrize(("seconds", "place"), [(0.05, True), (0, True), (30, False)])
def test_who_waits_in_vain_or_has_no_place_is_told_so(waits, store, seconds, place):
    assert waits(accepted(store), seconds, place)() is False


def test_waiting_for_a_job_that_is_not_there_takes_no_time(waits):
    assert waits(UNKNOWN)() is False


def test_who_waits_when_the_process_stops_is_let_go(waits, store, watch):
    answer = waits(accepted(store))
    until(lambda: watch.count, 5, "somebody waits")

    watch.close()

    assert answer() is False


def test_waiting_never_fails_for_the_job_was_accepted(settings, unreachable_store):
    app = create_app(settings, unreachable_store, SilentRelay())

    with app.test_request_context(environ_overrides={SLOT_KEY: LongRequestSlot(Semaphore(0))}):
        assert wait_until_final(UNKNOWN, 30) is False
