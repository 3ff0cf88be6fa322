"""`python -m workers [compute] [mail] [rescuer]`: starts the services named, or all of them in one process.

Stands before step 3 of a job's life: it monkey-patches before anything else is imported. Next: `runner.py`.
"""

import warnings

with warnings.catch_warnings():
    # eventlet announces its retirement at import; nameko needs it, and it stays on this side only
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    import eventlet

    eventlet.monkey_patch()

import argparse  # noqa: E402 -- after the patch, like everything that may open a socket

from errand import logs  # noqa: E402
from errand.settings import Settings  # noqa: E402
from workers.runner import SERVICES, run  # noqa: E402


def main() -> int:
    """Read the command line and the settings, then run."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run Errand's services.")
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of {', '.join(SERVICES)} (default: all)")
    names = list(dict.fromkeys(parser.parse_args().services)) or list(SERVICES)
    if unknown := [name for name in names if name not in SERVICES]:
        parser.error(f"there is no service {unknown[0]!r}; there are {', '.join(SERVICES)}")
    settings = Settings.load_or_exit()
    logs.configure(settings.log_level)
    return run(names, settings)


if __name__ == "__main__":
    raise SystemExit(main())
