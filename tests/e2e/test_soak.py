"""Two minutes of `make soak`: under steady load nothing grows, nothing is lost, and nothing is left behind."""

import pytest

from chaos.deployment import running_deployment
from soak.plan import SoakPlan
from soak.run import run_soak
from tests.conftest import missing
from tests.support.rabbitmq import Node

SHORT = SoakPlan(minutes=2, seed=4711, most=30, retention=15, measures=6, looks_every=3, clients=128)
"""At most 30 scenarios a second: other tests want something of the machine too."""


@pytest.mark.timeout(420)
def test_under_steady_load_nothing_grows_and_nothing_is_left_behind(tmp_path):
    if not Node.there():
        missing("RabbitMQ is not installed (apt-get install rabbitmq-server); its own commands tell what it holds")
    with running_deployment(SHORT.deployment, tmp_path / "soak") as deployment:
        report = run_soak(SHORT, deployment)

    assert report.holds, report.text
    assert not report.stopped
    assert report.tracker.count.accepted > SHORT.seconds * 5
