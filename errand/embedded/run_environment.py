"""Writes the settings that `make run` chose to a file, so that `make shell` and `make worker` use the same servers.

The file is a shell script that `make` sources. Variables that are set already keep their values.
"""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FILE = "run.env"


@contextmanager
def environment_file(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Keep `env` in a file in `folder` for the duration of a `with`, readable by this user only: it holds secrets."""
    file = folder / FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(f'[ -n "${{{name}+x}}" ] || export {name}={shlex.quote(env[name])}\n' for name in env))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
