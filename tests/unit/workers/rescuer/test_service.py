"""The rescuer's log: a line for each attempt whose worker died."""

import pytest

from errand.store import LostAttempt, RescueRound
from workers.rescuer.service import Rescuer


class Runner:
    """Stands for the runner: has one round to tell of."""

    def __init__(self, done: RescueRound) -> None:
        self.done = done

    def run(self, store):
        yield self.done


@pytest.mark.parametrize(("failed", "then"), [(False, ", goes on"), (True, "")])
def test_an_attempt_whose_worker_died_has_its_line(caplog, failed, then):
    lost = LostAttempt("job-1", "report", 2, 3, "host:7", failed)
    rescuer = Rescuer()
    rescuer.store = None
    rescuer.runner = Runner(RescueRound(1, 0, 0, 0, 0, [], None, [lost]))

    rescuer.tick()

    [record] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.getMessage() == f"report failed in attempt 2 of 3{then}: its worker host:7 died"
    assert (record.action, record.job_id) == ("attempt_failed", "job-1")
