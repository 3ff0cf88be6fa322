"""The short form of `make chaos`: every kind of process is hit under load, and the ledger holds."""

from chaos.deployment import running_deployment
from chaos.plan import ChaosPlan
from chaos.run import run_chaos
from tests.conftest import missing
from tests.support.rabbitmq import Node

SHORT = ChaosPlan(
    jobs=300,
    faults=28,
    seed=4711,
    gap=0.7,
    longest_stop=5.0,
    patience=60.0,
    settings={"LEASE_SECONDS": "2", "OUTBOX_PATIENCE": "1", "WEBHOOK_TIMEOUT": "2", "WEBHOOK_PAUSE": "0.5"},
)


def test_whatever_is_killed_or_held_up_no_job_is_lost_or_finished_twice_and_nobody_is_left_untold(tmp_path):
    if not Node.there():
        missing("RabbitMQ is not installed (apt-get install rabbitmq-server); a container can't be stopped in between")
    with running_deployment(SHORT, tmp_path / "chaos") as deployment:
        verdict = run_chaos(SHORT, deployment)

    assert verdict.holds, verdict.text
    assert verdict.ledger.accepted == SHORT.jobs
