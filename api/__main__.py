"""Starts the API: `python -m api`.

Stands before step 1 of a job's life. Next: `server.py`.
"""

from errand import logs

logs.silence_known_warnings()

from api.server import serve
from errand.settings import Settings


def main() -> None:
    """Read the settings, then serve."""
    settings = Settings.load_or_exit()
    logs.configure(settings.log_level)
    serve(settings)


if __name__ == "__main__":
    main()
