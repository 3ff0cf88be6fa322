"""Starts the API: `python -m api`. Next: `serving/server.py`."""

import os

from errand.process import logs

logs.silence_known_warnings()
# nameko's client imports eventlet, which imports a DNS resolver that the API doesn't use: 7 MB
os.environ["EVENTLET_NO_GREENDNS"] = "yes"

import sys
import traceback

from api.serving.server import serve
from errand.errors import SettingsRefused
from errand.setting_names import warn_of_unknown_names
from errand.settings import Settings


def main() -> None:
    """Read the settings, check the routes, serve."""
    settings = Settings.load_or_exit()
    warn_of_unknown_names()
    logs.configure(settings.log_level)
    refuse_routes(settings)
    serve(settings)


def refuse_routes(settings: Settings) -> None:
    """Exit with a sentence when a plug-in can't be loaded, or the path of PUBLIC_URL is one of our own.

    Otherwise every API process would fail at its start, and be restarted, again and again. A child process tries:
    loading the app here would cost 19 MB for as long as the API runs.
    """
    if not settings.plugin_paths and not settings.public_path:
        return
    trial = os.fork()
    if trial == 0:
        os._exit(_try_to_load(settings))
    if status := os.waitstatus_to_exitcode(os.waitpid(trial, 0)[1]):
        raise SystemExit(status)


def _try_to_load(settings: Settings) -> int:
    """Make all routes, print why they can't be made, and return the exit status."""
    try:
        from api.app import app_of_routes

        app_of_routes(settings)
    except SettingsRefused as refusal:
        logs.log_cause(refusal)
        sys.stderr.write(f"errand: {refusal.detail}\n")
        return 2
    except BaseException:  # noqa: BLE001 -- no caller is left that would report it
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
