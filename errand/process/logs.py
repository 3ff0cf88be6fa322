"""Log lines: one a line, with the `action` (and `job_id`) they are about, so that they can be searched and tested.

Stands beside everything; each entry point calls `configure` once.
"""

import logging
import sys
import warnings
from time import monotonic

from errand.errors import BrokerUnavailable, ErrandError, StoreUnavailable


class _Formatter(logging.Formatter):
    """Adds `action=…` and `job_id=…` where the line has them."""

    def format(self, record: logging.LogRecord) -> str:
        extras = (f" {name}={value}" for name in ("action", "job_id") if (value := getattr(record, name, None)))
        record.extras = "".join(extras)
        return super().format(record)


class _Expected(logging.Filter):
    """Makes one line, without a traceback, of a fault that nameko was told to expect: its sentence says it all.

    Of an outage there is one line a second at most, however many entrypoints run into it.
    """

    def __init__(self) -> None:
        """Begin with nothing told."""
        super().__init__()
        self._told = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is to be logged."""
        fault = record.exc_info[1] if record.exc_info else None
        if not isinstance(fault, ErrandError):
            return True
        record.exc_info = record.exc_text = None
        record.action = "expected_fault"
        if not isinstance(fault, (StoreUnavailable, BrokerUnavailable)):
            return True
        news = monotonic() - self._told >= 1.0
        self._told = monotonic() if news else self._told
        return news


def silence_known_warnings() -> None:
    """Keep quiet about what is known and can't be changed here; for entry points, before anything else is imported."""
    # nameko needs eventlet, which announces its retirement at each import (docs/decisions)
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    # flasgger and nameko's shell use it; pyproject.toml pins a setuptools that still has it
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")


def configure(level: str) -> None:
    """Send everything from `level` on to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s%(extras)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("amqp", "kombu", "nameko", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("nameko.containers").addFilter(_Expected())
    # It quotes messages it can't decode, which may hold what a stranger wrote, and tells of a lost broker with a
    # traceback where nameko says the same in a line.
    logging.getLogger("kombu.mixins").setLevel(logging.CRITICAL)
