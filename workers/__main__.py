"""`python -m workers [compute] [mail] [webhooks] …`: starts the named services, or all of them, in one process.

It monkey-patches before anything else is imported. Next: `runner.py`.
"""

from errand.process import logs

logs.silence_known_warnings()

from workers import green

green.monkey_patch()

import argparse
import sys

from errand.errors import SettingsRefused
from errand.setting_names import warn_of_unknown_names
from errand.settings import Settings
from schemas.operations import WITHOUT_OPERATIONS
from workers.runner import SERVICES, known, run


def main() -> int:
    """Read the command line and the settings, then run."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run Errand's services.")
    choices = f"{', '.join(SERVICES)}, or a service of an operation or a plug-in (default: all)"
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=choices)
    asked = parser.parse_args().services
    settings = Settings.load_or_exit()
    warn_of_unknown_names()
    logs.configure(settings.log_level)
    try:
        names = list(dict.fromkeys(asked)) or known(settings)
        if unknown := [name for name in names if name not in WITHOUT_OPERATIONS and name not in known(settings)]:
            parser.error(f"there is no service {unknown[0]!r}; there are {', '.join(known(settings))}")
        return run(names, settings)
    except SettingsRefused as refusal:
        logs.log_cause(refusal)
        sys.stderr.write(f"errand: {refusal.detail}\n")
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
