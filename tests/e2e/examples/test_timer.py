"""`examples/timer/` as its row in the issue has it: once for all instances, whoever dies, and in each of them."""

from pathlib import Path

import pytest

from errand.process.waiting import until
from tests.support.plugins import cluster_on, instances
from tests.support.tutorial import follow_tutorial

TIMER = "examples.timer"


def test_all_instances_tick_one_leads_and_another_goes_on_when_it_dies(on_rabbitmq, tmp_path: Path) -> None:
    with instances(tmp_path, on_rabbitmq, TIMER) as here, cluster_on(on_rabbitmq["AMQP_URI"], timeout=100) as n:
        three = {str(each.process.pid): each for each in [here.start("timer_service") for _ in range(3)]}

        def lately(work: str) -> set[str]:
            return {instance.rpartition(":")[2] for instance in n.timer_service.instances()[work]}

        until(lambda: lately("each") == set(three), 20, "ticks of all")
        (leader,) = lately("once")

        three.pop(leader).kill9()

        (next_leader,) = until(lambda: lately("once") - {leader}, 20, "another that leads")
        assert next_leader in three
        until(lambda: lately("each") == set(three), 20, "only those that live")
        # where the machine held the leader up for longer than its lease, another may lead: still one of them
        until(lambda: len(lately("once")) == 1, 30, "one that leads")
        assert lately("once") <= set(three)


@pytest.mark.parametrize("tests", ["timer_unit.py", "timer_integration.py"])
def test_it_can_be_tested_as_the_tutorials_teach(on_rabbitmq, tests: str) -> None:
    follow_tutorial(tests, on_rabbitmq)
