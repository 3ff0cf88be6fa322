"""Lets others join what `make run` started: `make shell` and `make worker` read here which servers it chose.

Stands beside `run.py`. The file is shell, as `make` reads it; what somebody has set goes before it, and it is
removed at the end of the run.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FILE = "run.env"


@contextmanager
def environment_file(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Keep `env` in a file of `folder` for the time of a `with`; only this user may read it, for it has secrets."""
    file = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f'[ -n "${{{name}+x}}" ] || export {name}={shlex.quote(env[name])}\n' for name in env))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
