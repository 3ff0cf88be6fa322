"""`make soak MINUTES=… SEED=… RATE=…`: runs it, prints the table; status 1 when something grew or was broken."""

import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from chaos.deployment import running_deployment
from soak.plan import SoakPlan
from soak.run import run_soak


def main() -> int:
    """Read the plan, run_soak it, print what came of it."""
    plan = SoakPlan.from_environment()
    folder = Path(gettempdir()) / f"errand-soak-{plan.seed}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended on the way out
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream
    print(f"seed {plan.seed}: {plan.minutes:g} min; logs in {folder}")
    with running_deployment(plan.deployment, folder) as deployment:
        report = run_soak(plan, deployment)
    report.write_all()
    print(report.text)
    return 0 if report.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
