"""The Redis scripts: loads `scripts/*.lua` with what they share and the legal moves in front, and runs them by hash.

Stands under every step of a job that changes it. Next: `jobs.py`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

import redis

from errand.errors import StoreUnavailable
from errand.moves import LEGAL

Client = redis.Redis
Argument = str | int | float | bytes


_SHARED = re.compile(r"^-- Shared: (.+)\.$", re.MULTILINE)
"""Where a script says which files of `scripts/shared` go before it."""


def _words() -> str:
    """Write the legal moves as ` before>after ` words; nothing before the `>` stands for a job that isn't there yet."""
    return "".join(f" {before or ''}>{after} " for before in LEGAL for after in sorted(LEGAL[before]))


def text_of(name: str) -> str:
    """Give the whole text of script `name` as Redis gets it."""
    return _TEXTS[name]


def _read() -> dict[str, str]:
    """Read all scripts, once: a process must not take some of them from before an upgrade and some from after it."""
    folder = files("errand.store") / "scripts"
    shared = {part.name.removesuffix(".lua"): part.read_text("utf-8") for part in (folder / "shared").iterdir()}
    scripts = {part.name.removesuffix(".lua"): part.read_text("utf-8") for part in folder.iterdir() if part.is_file()}
    return {name: _whole(text, shared) for name, text in scripts.items()}


def _whole(text: str, shared: Mapping[str, str]) -> str:
    named = _SHARED.search(text)
    parts = ["base", *(named[1].split(", ") if named else ())]
    return "\n".join([*(shared[part] for part in parts), text]).replace("@LEGAL@", _words())


_TEXTS: Final = _read()
_HASHES: Final = {  # the names Redis itself gives them
    name: sha1(text.encode(), usedforsecurity=False).hexdigest() for name, text in _TEXTS.items()
}


def run(client: Client, name: str, *arguments: Argument) -> Any:
    """Run script `name` in one round trip (two when Redis has forgotten it); raise StoreUnavailable when it can't."""
    try:  # as asking_redis, without its cost: this is on the way of every job
        try:
            return client.evalsha(_HASHES[name], 0, *arguments)
        except redis.exceptions.NoScriptError:
            client.script_load(text_of(name))
            return client.evalsha(_HASHES[name], 0, *arguments)
    except UNAVAILABLE as fault:
        raise StoreUnavailable() from fault


UNAVAILABLE = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.BusyLoadingError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,
)
"""What a store that is down, full, loading or a mere replica answers: nothing was changed, try again later."""


@contextmanager
def asking_redis() -> Iterator[None]:
    """Raise StoreUnavailable when what is asked of Redis without a script can't be answered."""
    try:
        yield
    except UNAVAILABLE as fault:
        raise StoreUnavailable() from fault
