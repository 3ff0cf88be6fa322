"""`make chaos JOBS=… FAULTS=… SEED=… NODES=…`: runs it, prints the table; status 1 when the promise was broken."""

import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from chaos.plan import ChaosPlan
from chaos.run import play
from chaos.scene import playing


def main() -> int:
    """Read the plan, play it, print what came of it."""
    plan = ChaosPlan.from_environment()
    folder = Path(gettempdir()) / f"errand-chaos-{plan.seed}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended on the way out
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream
    print(f"seed {plan.seed}: {plan.jobs} jobs, {plan.faults} faults in {plan.seconds:.0f} s; logs in {folder}")
    with playing(plan, folder) as scene:
        verdict = play(plan, scene)
    print(verdict.text)
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
