"""`make chaos JOBS=… FAULTS=… SEED=… NODES=…`: runs the test and prints its table; exit status 1 if a check failed."""

import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from chaos.deployment import running_deployment
from chaos.plan import ChaosPlan
from chaos.run import run_chaos


def main() -> int:
    """Read the plan, run it, print the verdict."""
    plan = ChaosPlan.from_environment()
    folder = Path(gettempdir()) / f"errand-chaos-{plan.seed}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # exits through the `with`, which stops all processes
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream
    print(f"seed {plan.seed}: {plan.jobs} jobs, {plan.faults} faults in {plan.seconds:.0f} s; logs in {folder}")
    with running_deployment(plan, folder) as deployment:
        verdict = run_chaos(plan, deployment)
    print(verdict.text)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
