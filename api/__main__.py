"""Starts the API: `python -m api`.

Stands before step 1 of a job's life. Next: `server.py`.
"""

import os

from errand import logs

logs.silence_known_warnings()
# nameko's client imports eventlet, and that a resolver of its own which nobody here uses: 7 MB
os.environ["EVENTLET_NO_GREENDNS"] = "yes"

import sys

from api.server import serve
from errand.errors import SettingsRefused
from errand.settings import Settings


def main() -> None:
    """Read the settings, then serve."""
    settings = Settings.load_or_exit()
    logs.configure(settings.log_level)
    refuse_plugins(settings)
    serve(settings)


def refuse_plugins(settings: Settings) -> None:
    """Exit with a sentence when a plug-in can't be one; each process would only die of it, again and again."""
    if not settings.examples_list:
        return
    from api.app import app_of_routes  # this process needs nothing of it otherwise

    try:
        app_of_routes(settings)
    except SettingsRefused as refusal:
        sys.stderr.write(f"errand: {refusal.detail}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
