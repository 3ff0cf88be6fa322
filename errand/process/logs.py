"""The format of log lines: each shows its `action` and `job_id`, so that logs can be searched and tested.

Each entry point calls `configure` once.
"""

import logging
import sys
import warnings
from time import monotonic

from errand.errors import BrokerUnavailable, ErrandError, StoreUnavailable


class _Formatter(logging.Formatter):
    """Adds `action=…` and `job_id=…` to lines that have them."""

    def format(self, record: logging.LogRecord) -> str:
        extras = (f" {name}={value}" for name in ("action", "job_id") if (value := getattr(record, name, None)))
        record.extras = "".join(extras)
        return super().format(record)


class _Expected(logging.Filter):
    """Logs an ErrandError as one line without a traceback: its message says enough.

    An outage is logged once a second at most, however many entrypoints run into it.
    """

    def __init__(self) -> None:
        """Start with no outage logged."""
        super().__init__()
        self._logged_at = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the line."""
        fault = record.exc_info[1] if record.exc_info else None
        if not isinstance(fault, ErrandError):
            return True
        record.exc_info = record.exc_text = None
        record.action = "expected_fault"
        if not isinstance(fault, (StoreUnavailable, BrokerUnavailable)):
            return True
        due = monotonic() - self._logged_at >= 1.0
        self._logged_at = monotonic() if due else self._logged_at
        return due


def silence_known_warnings() -> None:
    """Silence known warnings that can't be fixed here; entry points call this before they import anything else."""
    # nameko needs eventlet, which announces its retirement at each import (docs/decisions)
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    # flasgger and nameko's shell use it; pyproject.toml pins a setuptools that still has it
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")


def configure(level: str) -> None:
    """Log to stderr, from `level` upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s%(extras)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("amqp", "kombu", "nameko", "urllib3"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("nameko.containers").addFilter(_Expected())
    # It quotes messages that it can't decode, which may hold anything, and logs a lost broker with a traceback where
    # nameko logs one line.
    logging.getLogger("kombu.mixins").setLevel(logging.CRITICAL)
