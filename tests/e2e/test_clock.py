"""A worker whose clock is set while it works: what is due is decided by the store's, pauses by one nobody sets."""

from pathlib import Path

import pytest

from errand.process.waiting import until
from tests.conftest import missing
from tests.support.smtp import once
from tests.support.stack import running

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
"""What libfaketime's package brings: it answers for the system when a process asks for the time of day."""
SUM = {"operation": "sum", "arguments": {"value": 1, "other": 2}}
CHILDREN = "workers.operations,tests.support.operations.alone"


class Clock:
    """The time of day as one worker sees it; it can be set at any time."""

    def __init__(self, file: Path) -> None:
        """Keep what it shows in `file`."""
        self._file = file
        self.set("+0")

    @property
    def env(self) -> dict[str, str]:
        """What makes a process go by it; pauses stay as long as they are."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """Show so much more or less than it is, as `+1h`."""
        self._file.write_text(offset)


@pytest.mark.parametrize("jump", ["-1h", "+1h"])
def test_a_worker_whose_clock_is_set_does_all_in_time_and_once(jump, env, valkey, smtp_sink, tmp_path):
    if LIBRARY is None:
        missing("libfaketime is not installed (apt-get install libfaketime)")
    clock = Clock(tmp_path / "clock")
    settings = {**env, "AMQP_URI": valkey.fresh_url(), "LEASE_SECONDS": "1", "RESULT_TTL": "600"}
    settings |= {"OPERATIONS": CHILDREN, "MAIL_GIVE_UP": "1800"}
    with running(tmp_path, settings, lambda stack: stack.api.start()) as stack:
        stack.workers.env |= clock.env
        stack.workers.start()
        done = stack.compute()
        stack.finished(done)
        burns = stack.submit("burn_for", {"seconds": 3})
        until(lambda: stack.status(burns) == "running", 20, "it runs")
        delayed = stack.submit(**SUM, delay=2, deadline=1200)
        smtp_sink.answers["DATA"] = once("451 later")

        clock.set(jump)
        told = stack.compute(email="name@email.com")
        stack.put("/schedules/yearly", {"cron": "0 0 1 1 *", **SUM})
        stack.store.client.zadd(stack.store.keys.schedules, {"yearly": 1})  # its time has come

        jobs = [stack.finished(job_id, within=15) for job_id in (burns, delayed, told)]
        assert [job["error"] for job in jobs] == [None] * 3
        assert [job["attempt"] for job in jobs] == [1, 1, 1]
        until(lambda: len(smtp_sink.messages) == 2, 15, "both mails, the deferred one too")
        [tick] = until(lambda: stack.get("/jobs", params={"tag": "schedule:yearly"}).json()["jobs"], 10, "a tick")
        stack.finished(tick["id"])
        assert stack.get(f"/jobs/{done}").ok, "its retention has just begun"
        for job in stack.store.page().records:
            assert job.finished_at - job.created_at < 60_000
        assert len(stack.get("/jobs", params={"tag": "schedule:yearly"}).json()["jobs"]) == 1
        assert "Traceback" not in stack.workers.output()
