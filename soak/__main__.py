"""`make soak MINUTES=… SEED=… RATE=…`: runs the test and prints its table; exit status 1 if a check failed."""

import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from chaos.deployment import running_deployment
from soak.plan import SoakPlan
from soak.run import run_soak


def main() -> int:
    """Read the plan, run it, print the report."""
    plan = SoakPlan.from_environment()
    folder = Path(gettempdir()) / f"errand-soak-{plan.seed}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # exits through the `with`, which stops all processes
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream
    print(f"seed {plan.seed}: {plan.minutes:g} min; logs in {folder}")
    with running_deployment(plan.deployment, folder) as deployment:
        report = run_soak(plan, deployment)
    report.write_all()
    print(report.text)
    return 0 if report.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
