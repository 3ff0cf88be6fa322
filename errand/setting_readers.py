"""The programs that read a setting, written beside the setting in `settings.py`.

`tests/rules/test_setting_readers.py` checks `docker-compose.yml` and the table in `docs/operations.md` against it, and
the code as well: a setting that a program reads must name that program.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Program(StrEnum):
    """A program of Errand: the API, a worker service, or `make run`, which starts the others."""

    API = "api"
    COMPUTE = "compute"
    MAIL = "mail"
    WEBHOOKS = "webhooks"
    RESCUER = "rescuer"
    RUN = "run"


@dataclass(frozen=True)
class ReadBy:
    """The programs that read a setting. pydantic keeps it in the field's metadata."""

    programs: frozenset[Program]


def read_by(*programs: Program) -> ReadBy:
    """Say which programs read a setting."""
    return ReadBy(frozenset(programs))


WORKERS: Final = (Program.COMPUTE, Program.MAIL, Program.WEBHOOKS, Program.RESCUER)
"""Programs that run as `python -m workers`."""

BY_ALL: Final = read_by(Program.API, *WORKERS)
BY_WORKERS: Final = read_by(*WORKERS)
BY_API: Final = read_by(Program.API)
BY_COMPUTE: Final = read_by(Program.COMPUTE)
BY_MAIL: Final = read_by(Program.MAIL)
BY_WEBHOOKS: Final = read_by(Program.WEBHOOKS)
