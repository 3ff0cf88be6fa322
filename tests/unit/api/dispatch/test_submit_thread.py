"""The submit thread answers many requests at a time, each with its own answer."""

from io import BytesIO
from threading import Event, current_thread

import pytest

from api.dispatch.dispatcher import RequestDispatcher
from api.dispatch.group_commit import GroupCommit
from api.dispatch.submit_thread import MAX_GROUP, MAX_SUBMIT_BYTES, SubmitThread, share_round_trip, submits_one_job
from errand.errors import StoreUnavailable
from errand.process.waiting import until
from errand.store import AcceptResult
from tests.support.jobs import new_job

JOB = {"REQUEST_METHOD": "POST", "PATH_INFO": "/jobs", "CONTENT_LENGTH": "12"}


class Connection:
    """granian's handle on a connection: what is answered is noted, in order, and with the thread."""

    answers: list

    def __init__(self, answers):
        self.answers = answers

    def response_bytes(self, *answer):
        self.answers.append((*answer, current_thread().name))

    def response_iter(self, *answer):
        self.answers.append((*answer, "in pieces"))


@pytest.fixture
def submit_thread():
    submit_thread = SubmitThread()
    submit_thread.start()
    return submit_thread


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"PATH_INFO": "/compute"}, True),
        ({"CONTENT_LENGTH": str(MAX_SUBMIT_BYTES)}, True),
        ({"CONTENT_LENGTH": str(MAX_SUBMIT_BYTES + 1)}, False),
        ({"CONTENT_LENGTH": "1" * 400_000}, False),
        ({"CONTENT_LENGTH": "-1"}, False),
        ({"CONTENT_LENGTH": "²"}, False),
        ({"CONTENT_LENGTH": ""}, False),
        ({"PATH_INFO": "/jobs/batch"}, False),
        ({"REQUEST_METHOD": "GET"}, False),
        ({"HTTP_IDEMPOTENCY_KEY": "k"}, False),
    ],
)
def test_a_small_request_that_submits_one_job_goes_to_the_submit_thread(changes, expected):
    assert submits_one_job({**JOB, **changes}) is expected


def test_below_a_public_path_the_same_requests_submit_one_job():
    paths = frozenset({"/jobs", "/errand/jobs"})

    assert submits_one_job({**JOB, "PATH_INFO": "/errand/jobs"}, paths)
    assert not submits_one_job({**JOB, "PATH_INFO": "/errand/jobs"})


def test_a_body_of_unknown_length_stays_with_granians_threads():
    assert not submits_one_job({"REQUEST_METHOD": "POST", "PATH_INFO": "/jobs"})


def test_outside_the_submit_thread_nothing_is_shared():
    assert not share_round_trip(lambda _: pytest.fail("it was called"), "a write")


def test_requests_that_arrive_together_share_one_round_trip_and_are_answered_after_it(submit_thread):
    sent, answers, began = [], [], Event()

    def run(connection, scope):
        if scope["number"] == 0:
            assert began.wait(10)  # until all are there
        assert share_round_trip(send, scope["number"])
        connection.response_bytes(202, [], scope["number"])

    def send(writes):
        sent.append((writes, len(answers)))
        return lambda: sent.append("done")

    for number in range(MAX_GROUP + 5):
        submit_thread.take(run, Connection(answers), {**JOB, "number": number})
    began.set()

    until(lambda: len(answers) == MAX_GROUP + 5, 10, "all are answered")
    assert answers == [(202, [], number, "submit") for number in range(MAX_GROUP + 5)]
    first, second = list(range(MAX_GROUP)), list(range(MAX_GROUP, MAX_GROUP + 5))
    assert sent == [(first, 0), "done", (second, 0), "done"], "the second went before the first were answered"


def test_one_request_may_write_twice_and_another_not_at_all(submit_thread):
    answers, began = [], Event()

    def run(connection, scope):
        assert scope["waits"] or began.wait(10)
        done = [share_round_trip(lambda _: lambda: None, None) for _ in range(scope["waits"])]
        connection.response_bytes(len(done))

    for waits in (0, 1, 3):
        submit_thread.take(run, Connection(answers), {**JOB, "waits": waits})
    began.set()

    until(lambda: len(answers) == 3, 10, "all are answered")
    assert [status for status, _ in answers] == [0, 1, 3]


def test_a_request_that_fails_harms_no_other(submit_thread, caplog):
    answers, began = [], Event()

    def run(connection, scope):
        assert began.wait(10)
        if scope["number"] == 1:
            raise ValueError("on purpose")
        connection.response_iter(200, [], scope["number"])

    for number in range(3):
        submit_thread.take(run, Connection(answers), {**JOB, "number": number})
    began.set()

    until(lambda: len(answers) == 2, 10, "the others are answered")
    assert answers == [(200, [], 0, "in pieces"), (200, [], 2, "in pieces")]
    assert [record.action for record in caplog.records] == ["request_failed"]


def test_a_round_trip_that_fails_does_not_end_the_submit_thread(submit_thread, caplog):
    answers = []

    def fail(writes):
        raise ValueError("on purpose")

    def run(connection, scope):
        if scope["fails"]:
            share_round_trip(fail, None)
        connection.response_bytes(200)

    submit_thread.take(run, Connection(answers), {**JOB, "fails": True})
    until(lambda: caplog.records, 10, "it has failed")
    submit_thread.take(run, Connection(answers), {**JOB, "fails": False})

    until(lambda: answers, 10, "the next is answered")
    assert [record.action for record in caplog.records] == ["submit_fault"]
    assert len(answers) == 1


class Counter:
    """A store that notes how it is asked, and ends calls as it is told."""

    def __init__(self, begin=None, end=None, accept=None):
        self.calls, self.faults = [], {"begin": begin, "end": end, "accept": accept}

    def begin_accept_each(self, jobs):
        self._note("begin", jobs)

        def answer():
            self._note("end", jobs)
            return [AcceptResult(job.id, "new") for job in jobs]

        return answer

    def accept_each(self, jobs):
        self._note("accept", jobs)
        return [AcceptResult(job.id, "new") for job in jobs]

    def _note(self, what, jobs):
        self.calls.append((what, len(jobs)))
        if fault := self.faults[what]:
            raise fault


AWAY = StoreUnavailable("away")
BROKEN = ConnectionError("closed by Redis")
ONCE, IN_TWO, ALONE = [("accept", 5)], [("begin", 5), ("end", 5)], [("accept", 1)] * 5


@pytest.mark.parametrize(
    ("faults", "status", "calls"),
    [
        ({}, 202, IN_TWO),
        ({"end": AWAY}, 503, IN_TWO),
        ({"begin": BROKEN}, 202, [IN_TWO[0], *ONCE]),
        ({"begin": AWAY, "accept": AWAY}, 503, [IN_TWO[0], *ONCE]),
        ({"end": BROKEN}, 202, [*IN_TWO, *ALONE]),
        ({"end": BROKEN, "accept": AWAY}, 503, [*IN_TWO, *ALONE]),
    ],
    ids=["well", "away", "broken", "hangs", "lost", "gone"],
)
def test_jobs_go_to_the_store_in_one_call_and_each_request_gets_its_own_answer(submit_thread, faults, status, calls):
    store, answers, began = Counter(**faults), [], Event()
    group_commit = GroupCommit(store)
    jobs = [new_job() for _ in range(5)]

    def run(connection, scope):
        assert began.wait(10)
        try:
            [verdict] = group_commit.accept([scope["job"]])
        except StoreUnavailable:
            connection.response_bytes(503, scope["job"].id)
        else:
            connection.response_bytes(202, verdict.id)

    for job in jobs:
        submit_thread.take(run, Connection(answers), {**JOB, "job": job})
    began.set()

    until(lambda: len(answers) == 5, 10, "all are answered")
    assert answers == [(status, job.id, "submit") for job in jobs]
    assert store.calls == calls


def test_each_request_raises_its_own_copy_of_the_fault(submit_thread):
    group_commit, faults, began, done = GroupCommit(Counter(end=AWAY)), [], Event(), []

    def run(connection, scope):
        assert began.wait(10)
        with pytest.raises(StoreUnavailable) as caught:
            group_commit.accept([new_job()])
        faults.append(caught.value)
        connection.response_bytes(503)

    for _ in range(3):
        submit_thread.take(run, Connection(done), JOB)
    began.set()

    until(lambda: len(done) == 3, 10, "all are answered")
    assert len({id(fault) for fault in faults}) == 3


def test_the_dispatcher_hands_a_submission_over_with_its_body(submit_thread):
    answers = []

    def run(connection, scope):
        connection.response_bytes(scope["wsgi.input"].read(), current_thread().name)

    choose = RequestDispatcher(slots=1, max_working=1, submit_thread=submit_thread).dispatch(run)
    for length in ("12", str(MAX_SUBMIT_BYTES + 1)):
        choose(Connection(answers), {**JOB, "CONTENT_LENGTH": length, "wsgi.input": BytesIO(b"a body")})

    until(lambda: len(answers) == 2, 10, "both are answered")
    assert sorted(answers) == sorted([(b"a body", name, name) for name in ("submit", current_thread().name)])
