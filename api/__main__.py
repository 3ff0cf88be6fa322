"""Starts the API: `python -m api`.

Stands before step 1 of a job's life. Next: `server.py`.
"""

import logging

from api.server import serve
from errand.settings import Settings


def main() -> None:
    """Read the settings, then serve."""
    settings = Settings.load_or_exit()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(settings)


if __name__ == "__main__":
    main()
