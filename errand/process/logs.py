"""The format of log lines: each shows its `action` and `job_id`, so that logs can be searched and tested.

Each entry point calls `configure` once. No text that is logged can look like a line of its own or control a terminal:
control characters are escaped, and each line of a traceback begins with `  | `.
"""

import importlib
import logging
import re
import sys
import traceback
import warnings
from time import monotonic
from typing import Any, Final

from errand.errors import BrokerUnavailable, ErrandError, StoreUnavailable

TRACEBACK_MARGIN: Final = "  | "

_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that end a line, control a terminal, or change the direction of the text around them."""


log = logging.getLogger(__name__)


class _Formatter(logging.Formatter):
    """Adds `action=…` and `job_id=…` to lines that have them, and a traceback that is given as text."""

    def format(self, record: logging.LogRecord) -> str:
        extras = (f" {name}={value}" for name in ("action", "job_id") if (value := getattr(record, name, None)))
        record.extras = "".join(extras)
        text = super().format(record)
        given = getattr(record, "traceback", "")
        return f"{text}\n{_in_margin(given)}" if given else text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- logging's name
        return _in_margin(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 -- logging's name
        return _in_margin(stack_info)


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


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _in_margin(text: str) -> str:
    return "\n".join(TRACEBACK_MARGIN + _escaped(line) for line in text.splitlines())


def log_cause(refusal: ErrandError) -> None:
    """Log where a module failed that a refusal says can't be imported (`module`); not if that doesn't exist."""
    if refusal.__cause__ is None or "module" not in refusal.fields:
        return
    cause = traceback.TracebackException.from_exception(refusal.__cause__, compact=True)
    machinery = ("<frozen importlib", importlib.__file__)
    # the first frame is that of the function that imports
    cause.stack[:] = [frame for frame in cause.stack[1:] if not frame.filename.startswith(machinery)]
    if cause.stack or isinstance(refusal.__cause__, SyntaxError):
        extra = {"action": "load_failed", "traceback": "".join(cause.format())}
        log.error("%s could not be imported", refusal.fields["module"], extra=extra)


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
