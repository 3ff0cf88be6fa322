"""Child processes: jobs that crash, hang, eat and flood end as they should, and harm nothing beside them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from errand.process.waiting import until
from tests.support.children import Worker
from tests.support.processes import alive, descendants

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits are kept on Linux")

MUCH_LATER = 0.3
"""Seconds by which a tick of 50 ms may be late on a machine that runs other tests as well."""


@pytest.fixture(scope="module")
def alone() -> Iterator[Worker]:
    """A worker whose children run one job at a time."""
    with Worker("cpu") as worker:
        yield worker


@pytest.fixture(scope="module")
def together() -> Iterator[Worker]:
    """A worker whose child runs many jobs at a time."""
    with Worker("io", slots=200) as worker:
        yield worker


def error_of(ending) -> tuple[str, str]:
    assert ending["kind"] == "failed", ending
    return ending["payload"]["type"], ending["payload"]["message"]


def ended(*pids: int) -> None:
    """Wait until none of the processes is left."""
    until(lambda: not alive(pids), 5, f"the end of {pids}")


class TestAJob:
    def test_its_result_comes_back(self, alone):
        ending = alone.run("echo", value={"text": "é🙂", "list": [1, 2.5, None]})

        assert (ending["kind"], ending["payload"]) == ("succeeded", {"text": "é🙂", "list": [1, 2.5, None]})

    def test_it_runs_in_a_clean_interpreter(self, alone):
        child = alone.run("who")["payload"]

        loaded = {name.partition(".")[0] for name in child["modules"]}
        assert loaded.isdisjoint({"eventlet", "greenlet", "nameko", "kombu", "amqp", "redis", "yagmail", "flask"})
        assert child["pid"] != alone.process.pid
        assert child["input"] == ""
        assert Path(child["folder"]).parent.name.startswith("errand-children-")

    def test_it_does_not_see_the_secrets_of_its_worker(self):
        secrets = {"REDIS_URL": "redis://:secret@somewhere", "WEBHOOK_SECRET": "whsec_secret"}
        with Worker(SMTP_URL="smtp://me:secret@somewhere", **secrets) as worker:
            assert worker.run("who")["payload"]["secrets"] == []

    def test_a_warm_child_answers_at_once(self, alone):
        alone.run("echo")

        assert alone.run("echo")["seconds"] < 0.2

    def test_megabytes_pass_quickly_in_both_directions(self, alone):
        alone.run("echo")

        there = alone.run("measure", text="é" * 3 * 2**20)
        back = alone.run("long", size=5 * 2**20 - 2)

        assert there["payload"] == 3 * 2**20
        assert back["payload"] == "x" * (5 * 2**20 - 2)
        assert max(there["seconds"], back["seconds"]) < 2

    def test_all_that_it_prints_and_logs_is_in_its_log(self, alone):
        lines = alone.run("talk")["lines"]

        assert sorted(lines) == sorted(
            ["printed", "INFO logged with care", "complained", "from C", f"cut {'é' * 1995}…", "without an end"]
        )

    def test_a_flood_of_lines_is_cut_and_says_how_many_are_left_out(self, alone):
        ending = alone.run("flood", lines=300_000)

        left_out = [int(line.split()[1]) for line in ending["lines"] if line.startswith("…")]
        assert ending["kind"] == "succeeded"
        assert len(ending["lines"]) < 10_000
        assert len(ending["lines"]) - len(left_out) + sum(left_out) == 300_000

    def test_its_progress_is_reported_now_and_then_and_at_its_end(self, alone):
        told = alone.run("report", times=100_000)["progress"]

        assert told[-1] == [1.0, "turn 100000"]
        assert 1 <= len(told) < 100
        assert told == sorted(told)

    def test_its_threads_may_report_too(self, alone):
        assert alone.run("report_from_thread")["progress"] == [[0.5, "from a thread"]]


class TestAnEnding:
    @pytest.mark.parametrize(
        ("kind", "error", "retryable"),
        [
            ("value", ("ValueError", "no such value"), False),
            ("connection", ("ConnectionResetError", "the line is dead"), True),
            ("exit", ("SystemExit", "4"), False),
            ("interrupt", ("KeyboardInterrupt", "KeyboardInterrupt"), False),
            ("generator", ("GeneratorExit", "bye"), False),
            ("base", ("BaseException", "the mother of all"), False),
            ("half", ("ValueError", "? half a character"), False),
            ("speechless", ("Speechless", "Speechless"), False),
            ("weird", ("Weird", "weird"), False),
        ],
    )
    def test_whatever_is_raised_is_data(self, alone, kind, error, retryable):
        ending = alone.run("fails", kind=kind)

        assert error_of(ending) == error
        assert ending["retryable"] is retryable

    @pytest.mark.parametrize(
        ("operation", "arguments", "words"),
        [
            ("not_a_number", {}, "can't be written as JSON"),
            ("half", {}, "can't be written as JSON"),
            ("long", {"size": 6 * 2**20}, "takes 6291458 bytes of JSON, more than the 5242880 it may"),
        ],
    )
    def test_a_result_that_can_not_be_stored_is_refused(self, alone, operation, arguments, words):
        kind, message = error_of(alone.run(operation, **arguments))

        assert kind == "ResultRefused"
        assert words in message

    @pytest.mark.parametrize("raw", ["[]", "not json", '{"size": "1"}', "{}", '{"size": 1, "more": 1}'])
    def test_arguments_are_checked_in_the_child_again(self, alone, raw):
        assert error_of(alone.run("long", raw=raw))[0] == "ArgumentsRefused"

    def test_an_operation_this_worker_lacks_is_tried_again_elsewhere(self, alone):
        ending = alone.run("no_such")

        assert error_of(ending) == ("OperationUnknown", "No worker of this service knows the operation 'no_such'.")
        assert ending["retryable"] is True

    @pytest.mark.parametrize(
        ("operation", "arguments", "reason"),
        [
            ("segfault", {}, "its process ended by signal 11 (SIGSEGV)"),
            ("exits", {"status": 3}, "its process exited with status 3"),
            ("exits", {"status": 0}, "its process exited with status 0"),
            ("dies", {"number": 9}, "its process ended by signal 9 (SIGKILL), as when the machine runs out of memory"),
            ("dies", {"number": 15}, "its process ended by signal 15 (SIGTERM)"),
        ],
    )
    def test_a_child_that_dies_fails_the_attempt_with_the_reason(self, alone, operation, arguments, reason):
        beside = alone.start("rest_a_while", seconds=1)

        ending = alone.run(operation, **arguments)

        assert error_of(ending) == ("ChildDied", reason)
        assert ending["retryable"] is True
        assert beside.ending()["kind"] == "succeeded"

    def test_a_crash_has_its_traceback_for_operators_and_not_in_the_log(self, alone):
        ending = alone.run("segfault")

        assert ending["traceback"].startswith("Fatal Python error: Segmentation fault")
        assert ending["place"].endswith("alone.py:74 in segfault")
        assert ending["lines"] == []

    def test_what_a_forked_copy_dumped_says_nothing_about_the_next_job(self):
        with Worker(slots=1) as worker:
            worker.run("fork_and_crash")

            ending = worker.run("exits", status=3)

        assert ending["traceback"] == ""

    def test_operations_that_can_not_be_loaded_are_named(self):
        with Worker(module="tests.support.broken_operations") as worker:
            ending = worker.run("echo")

        kind, message = error_of(ending)
        assert kind == "ChildDied"
        assert ending["place"] == "tests/support/broken_operations.py:3 in <module>"
        assert "could not start: The operations in tests.support.broken_operations can't be loaded" in message


class TestTime:
    def test_a_job_that_ignores_signals_ends_at_its_timeout(self, alone):
        ending = alone.run("burn", timeout=0.5)

        assert error_of(ending) == ("TimedOut", "took longer than its timeout of 0.5 s")
        assert ending["retryable"] is False
        assert ending["lines"] == ["burning"]
        assert ending["place"].endswith(" in burn")
        assert ending["seconds"] < 3

    def test_a_timeout_is_retryable_if_the_operation_says_so(self, alone):
        assert alone.run("dawdle", timeout=0.3)["retryable"] is True

    def test_the_start_of_a_child_does_not_count_towards_the_timeout(self):
        with Worker() as worker:
            assert worker.run("echo", timeout=0.1)["kind"] == "succeeded"

    def test_a_cancelled_job_stops_computing_within_a_second(self, alone):
        job = alone.start("burn")
        job.line()
        children = alone.ask("pids")

        assert until_ended(job) < 1
        ended(*set(children) - set(alone.ask("pids")))

    def test_a_job_that_waits_for_a_slot_can_be_cancelled(self):
        with Worker(slots=1) as worker:
            first = worker.start("burn")
            first.line()
            second = worker.start("echo")
            assert worker.ask("free") == 0

            second.cancel()

            assert second.ending()["kind"] == "cancelled"
            first.cancel()
            assert first.ending()["kind"] == "cancelled"
            assert worker.ask("wait_free", least=1, timeout=5) is True

    def test_a_wait_for_a_slot_says_whether_one_came_free(self):
        with Worker(slots=1) as worker:
            worker.start("burn").line()

            assert worker.ask("wait_free", least=1, timeout=0.1) is False
            assert worker.ask("wait_free", least=0, timeout=0.1) is True


class TestMemory:
    def test_a_job_that_eats_memory_ends_at_its_limit(self, alone):
        ending = alone.run("eat", memory=64)

        assert error_of(ending) == ("MemoryExceeded", "used more than its memory limit of 64 MB")
        assert ending["place"].endswith(" in eat")
        assert ending["retryable"] is False

    def test_the_memory_of_its_processes_counts_too(self, alone):
        ending = alone.run("eat_by_proxy", memory=64)

        assert ending["place"].endswith(" in eat_by_proxy")
        assert error_of(ending) == ("MemoryExceeded", "used more than its memory limit of 64 MB")

    def test_the_child_of_a_job_that_ate_too_much_is_replaced(self):
        with Worker(slots=1) as worker:
            before = worker.run("who")["payload"]["pid"]
            worker.run("eat", memory=64)

            assert worker.run("who")["payload"]["pid"] != before

    def test_the_hub_stays_responsive_while_children_burn_and_eat(self):
        with Worker() as worker:
            burning = worker.start("burn")
            burning.line()
            assert error_of(worker.run("eat", memory=400, pause=0.002))[0] == "MemoryExceeded"
            assert error_of(worker.run("eat_by_proxy", memory=64))[0] == "MemoryExceeded"
            worker.run("flood", lines=100_000)
            worker.run("long", size=5 * 2**20 - 2)
            burning.cancel()
            burning.ending()

            assert worker.ask("lateness") < MUCH_LATER


class TestWhatIsLeftBehind:
    @pytest.mark.parametrize("leave", [False, True])
    def test_a_process_that_outlives_its_job_is_ended(self, alone, leave):
        ending = alone.run("fork", leave=leave)

        assert ending["kind"] == "succeeded"
        ended(ending["payload"])

    @pytest.mark.parametrize("leave", [False, True])
    def test_a_process_of_a_cancelled_job_is_ended(self, alone, leave):
        job = alone.start("fork_and_wait", leave=leave)
        grandchild = int(job.line())

        job.cancel()

        assert job.ending()["kind"] == "cancelled"
        ended(grandchild)

    def test_a_process_that_keeps_every_descriptor_open_delays_nothing(self, alone):
        ending = alone.run("fork_and_exit")

        assert error_of(ending) == ("ChildDied", "its process exited with status 3")
        ended(int(ending["lines"][0]))

    def test_an_operation_that_returns_twice_after_a_fork_answers_once(self, alone):
        assert alone.run("fork_twice")["payload"] == "parent"
        assert alone.run("echo", value=1)["payload"] == 1

    def test_files_are_removed_and_the_next_job_starts_in_the_right_folder(self, alone):
        folder, left = Path(alone.run("who")["payload"]["folder"]), Path(alone.run("litter")["payload"])

        assert left.parent == folder
        assert not left.exists()
        assert Path(alone.run("who")["payload"]["folder"]) == folder
        assert list(folder.iterdir()) == []

    def test_files_of_a_killed_job_are_removed(self, alone):
        job = alone.start("litter_and_burn")
        folder = Path(job.line()).parent

        job.cancel()
        job.ending()

        until(lambda: not folder.exists(), 5, "the folder's end")

    @pytest.mark.parametrize("operation", ["close_output", "leave_thread"])
    def test_a_child_that_can_not_be_cleaned_is_replaced(self, operation):
        with Worker(slots=1) as worker:
            before = worker.run("who")["payload"]["pid"]

            assert worker.run(operation)["kind"] == "succeeded"

            assert worker.run("who")["payload"]["pid"] != before

    def test_files_of_a_killed_worker_are_removed_by_the_next(self, alone, tmp_path):
        with Worker(TMPDIR=str(tmp_path)) as worker:
            left = Path(worker.start("litter_and_burn").line())
            worker.process.kill()
        assert left.exists()

        with Worker(TMPDIR=str(tmp_path)) as worker:
            worker.run("echo")

            until(lambda: not left.parent.parent.exists(), 5, "the folder's end")
            assert worker.run("who")["kind"] == "succeeded"

    def test_children_die_with_a_worker_that_is_killed(self):
        with Worker() as worker:
            for job in [worker.start("burn"), worker.start("burn")]:
                job.line()
            children = descendants(worker.process.pid)
            assert len(children) == 2

            worker.process.kill()
            worker.process.wait()

            ended(*children)


class TestIdleChildren:
    def test_they_start_when_they_are_needed_and_stay(self):
        with Worker() as worker:
            assert worker.ask("pids") == []
            worker.run("echo")
            [first] = worker.ask("pids")

            assert {worker.run("who")["payload"]["pid"] for _ in range(5)} == {first}

    def test_one_that_dies_is_replaced(self):
        with Worker(slots=1) as worker:
            worker.run("echo")
            [idle] = worker.ask("pids")

            os.kill(idle, signal.SIGKILL)

            assert worker.run("echo", value=1)["payload"] == 1
            assert worker.ask("pids") != [idle]

    def test_a_job_whose_child_dies_before_it_began_runs_in_another(self):
        with Worker(slots=1) as worker:
            worker.run("echo")
            [idle] = worker.ask("pids")
            os.kill(idle, signal.SIGSTOP)
            job = worker.start("echo", value=1)
            assert worker.ask("free") == 0  # the stopped child has it

            os.kill(idle, signal.SIGKILL)

            assert job.ending()["payload"] == 1


class TestTogether:
    def test_many_that_come_at_once_before_there_is_a_child_share_one(self):
        with Worker("io", slots=200) as worker:
            jobs = [worker.start("rest", seconds=0) for _ in range(50)]

            assert {job.ending()["kind"] for job in jobs} == {"succeeded"}
            assert len(worker.ask("pids")) == 1

    def test_many_run_at_a_time_and_each_has_its_own_log(self, together):
        together.run("rest", seconds=0)

        jobs = [together.start("rest", seconds=1, name=f"job {number}") for number in range(150)]
        endings = [job.ending() for job in jobs]

        assert len({ending["payload"]["pid"] for ending in endings}) == 1
        assert max(ending["seconds"] for ending in endings) < 10
        for number, ending in enumerate(endings):
            name = f"job {number}"
            assert ending["lines"] == [f"{name} rests", f"INFO {name} rose", f"{name} speaks from a thread"]
            assert ending["progress"] == [[0.5, name]]

    @pytest.mark.parametrize(
        ("kind", "error", "retryable"),
        [
            ("connection", ("ConnectionResetError", "the line is dead"), True),
            ("exit", ("SystemExit", "4"), False),
            ("task", ("SystemExit", "4"), False),
            ("itself", ("CancelledError", "CancelledError"), False),
            ("memory", ("MemoryExceeded", "there was no memory left for it"), False),
        ],
    )
    def test_whatever_is_raised_is_data_and_harms_no_other(self, together, kind, error, retryable):
        beside = together.start("rest", seconds=0.5)
        beside.line()

        ending = together.run("break_off", kind=kind)

        assert error_of(ending) == error
        assert ending["retryable"] is retryable
        assert beside.ending()["kind"] == "succeeded"

    def test_one_can_be_cancelled_and_the_others_go_on(self, together):
        beside, job = together.start("rest", seconds=1), together.start("rest", seconds=60)
        beside.line()
        job.line()

        assert until_ended(job) < 0.5
        assert beside.ending()["kind"] == "succeeded"

    def test_one_can_take_too_long_and_the_others_go_on(self, together):
        beside = together.start("rest", seconds=1)

        ending = together.run("rest", seconds=60, timeout=0.2)

        assert error_of(ending)[0] == "TimedOut"
        assert ending["place"].endswith(" in rest")
        assert beside.ending()["kind"] == "succeeded"

    def test_one_that_refuses_to_end_is_killed_and_the_others_are_handed_back(self, together):
        beside, job = together.start("rest", seconds=60), together.start("refuse_to_go")
        beside.line()
        job.line()

        assert until_ended(job) < 1
        assert beside.ending()["kind"] == "handed_back"

    def test_one_that_blocks_all_others_ends_at_its_timeout(self, together):
        ending = together.run("block", timeout=0.3)

        assert error_of(ending)[0] == "TimedOut"
        assert ending["seconds"] < 3
        assert together.run("rest", seconds=0)["kind"] == "succeeded"

    def test_a_child_that_dies_fails_all_that_ran_in_it(self, together):
        beside = together.start("rest", seconds=60)
        beside.line()

        assert error_of(together.run("crash")) == ("ChildDied", "its process exited with status 5")
        assert error_of(beside.ending()) == ("ChildDied", "its process exited with status 5")
        assert together.run("rest", seconds=0)["kind"] == "succeeded"

    def test_one_that_eats_memory_is_ended(self, together):
        assert error_of(together.run("devour", memory=64))[0] == "MemoryExceeded"


class TestAhead:
    """A job that its child gets before a slot is free."""

    @pytest.fixture
    def two(self) -> Iterator[Worker]:
        """A worker with two slots, whose child is there."""
        with Worker("io", slots=2) as worker:
            worker.run("rest", seconds=0)
            yield worker

    def test_no_more_run_at_a_time_than_there_are_slots(self, two):
        jobs = [two.start("count", seconds=0.05, ahead=True) for _ in range(12)]

        assert {job.ending()["payload"] for job in jobs} == {2}

    def test_it_begins_as_soon_as_a_slot_is_free_and_its_timeout_counts_from_then(self, two):
        jobs = [two.start("rest", seconds=0.3, ahead=True) for _ in range(2)]
        waits = two.start("rest", seconds=0.05, timeout=0.2, ahead=True)

        assert waits.ending()["kind"] == "succeeded"
        assert {job.ending()["kind"] for job in jobs} == {"succeeded"}

    def test_it_is_handed_back_if_no_slot_comes_free_in_time(self, two):
        running = [two.start("rest", seconds=60, ahead=True) for _ in range(2)]
        for job in running:
            job.line()

        ending = two.start("rest", seconds=0, ahead=True).ending()

        assert (ending["kind"], ending["lines"]) == ("handed_back", [])
        assert ending["payload"] == {"type": "HandedBack", "message": "no slot came free for it in time"}
        assert 0.4 < ending["seconds"] < 2
        assert [until_ended(job) < 1 for job in running] == [True, True]

    def test_it_can_be_cancelled(self, two):
        for _ in range(2):
            two.start("rest", seconds=60, ahead=True).line()
        waits = two.start("rest", seconds=0, ahead=True)

        waits.cancel()

        ending = waits.ending()
        assert (ending["kind"], ending["lines"]) == ("cancelled", [])

    def test_it_runs_in_another_child_if_its_own_dies(self, two):
        running = [two.start("rest", seconds=60, ahead=True) for _ in range(2)]
        for job in running:
            job.line()
        [child] = two.ask("pids")
        os.kill(child, signal.SIGSTOP)
        waits = two.start("rest", seconds=0, ahead=True)
        assert two.ask("free") == 0

        os.kill(child, signal.SIGKILL)

        assert waits.ending()["payload"]["pid"] != child
        assert {error_of(job.ending())[0] for job in running} == {"ChildDied"}
        assert two.ask("wait_free", least=2, timeout=5) is True

    def test_it_sees_no_context_variables_of_the_job_before(self, two):
        jobs = [two.start("sign", name=f"visitor {number}", ahead=True) for number in range(6)]

        assert {job.ending()["payload"] for job in jobs} == {None}


class TestTheEnd:
    def test_what_runs_alone_is_handed_back(self):
        with Worker(slots=1) as worker:
            running, waiting = worker.start("burn"), worker.start("echo")
            running.line()

            worker.ask("hand_back_all")

            assert {running.ending()["kind"], waiting.ending()["kind"], worker.run("echo")["kind"]} == {"handed_back"}
            assert worker.ask("free") == 0

    def test_what_runs_together_is_handed_back(self):
        with Worker("io", slots=5) as worker:
            jobs = [worker.start("rest", seconds=60), worker.start("refuse_to_go")]
            for job in jobs:
                job.line()

            worker.ask("hand_back_all")

            assert {job.ending()["kind"] for job in jobs} == {"handed_back"}

    def test_no_process_and_no_folder_stays(self):
        with Worker() as worker:
            folder = Path(worker.run("who")["payload"]["folder"])
            worker.start("burn").line()
            children = descendants(worker.process.pid)

            worker.ask("close")

            ended(*children)
            assert not folder.parent.exists()


def until_ended(job) -> float:
    """Cancel a job and give the seconds until it had ended."""
    began = monotonic()
    job.cancel()
    assert job.ending()["kind"] == "cancelled"
    return monotonic() - began
