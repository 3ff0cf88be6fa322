"""Loads the Redis scripts, `scripts/*.lua`, with the shared code and the legal moves in front, and runs them by hash.

Every change of a job is such a script. Next: `errand/store/jobs.py`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final

import redis
from hiredis import pack_command

from errand.errors import StoreUnavailable
from errand.moves import LEGAL
from errand.store.redis_access.availability import refuse_if_away

Client = redis.Redis
Argument = str | int | float | bytes


_SHARED = re.compile(r"^-- Shared: (.+)\.$", re.MULTILINE)
"""The line of a script that names the files of `scripts/shared` to put before it."""


def _words() -> str:
    """Write the legal moves as ` before>after ` words; a new job has nothing before the `>`."""
    return "".join(f" {before or ''}>{after} " for before in LEGAL for after in sorted(LEGAL[before]))


def text_of(name: str) -> str:
    """Return the whole text of script `name` as Redis gets it."""
    return _TEXTS[name]


def _read() -> dict[str, str]:
    """Read all scripts once: a process must not mix those from before and after an upgrade."""
    folder = files("errand.store") / "scripts"
    shared = {part.name.removesuffix(".lua"): part.read_text("utf-8") for part in (folder / "shared").iterdir()}
    scripts = {part.name.removesuffix(".lua"): part.read_text("utf-8") for part in folder.iterdir() if part.is_file()}
    return {name: _whole(text, shared) for name, text in scripts.items()}


def _whole(text: str, shared: Mapping[str, str]) -> str:
    named = _SHARED.search(text)
    parts = ["base", *(named[1].split(", ") if named else ())]
    # Redis reads flags in the first line only. With `#!lua` a script isn't started when the store is full. Scripts by
    # which jobs end and are deleted have allow-oom and are: otherwise a full store would stay full.
    flags = text.split("\n", 1)[0] + "\n" if text.startswith("#!") else ""
    body = "\n".join([*(shared[part] for part in parts), text.removeprefix(flags)])
    return flags + body.replace("@LEGAL@", _words())


_TEXTS: Final = _read()
_HASHES: Final = {  # by which Redis knows them
    name: sha1(text.encode(), usedforsecurity=False).hexdigest() for name, text in _TEXTS.items()
}


PROMISES: Final = frozenset(
    (
        *("accept", "add_letter", "cancel", "claim_notifications", "commit", "delete_job", "link_secret", "retry"),
        *("retry_notifications", "schedule_delete", "schedule_put", "set_subscription", "settle_notification"),
    )
)
"""Scripts whose result leaves the system: to a client, or as a mail. With STORE_REPLICAS the answer is held back until
replicas have the changes. Claims and the rescuer's rounds are not among them: if they are lost, they are done again.
"""
REPLICA_SECONDS: Final = 2.0
"""Seconds to wait for the replicas."""


def run(client: Client, name: str, *arguments: Argument) -> Any:
    """Run script `name` in one round trip (two if Redis has forgotten it). Raises StoreUnavailable."""
    try:
        try:
            return _evalsha(client, name, arguments)
        except redis.exceptions.NoScriptError:
            client.script_load(text_of(name))
            return _evalsha(client, name, arguments)
    except redis.RedisError as fault:
        refuse_if_away(client, fault)
        raise


def begin(client: Client, name: str, *arguments: Argument) -> Callable[[], Any]:
    """Send script `name`; return a function that reads its answer, to be called exactly once. Both raise RedisError."""
    connection: Any = client.connection_pool.get_connection()
    try:
        connection.send_packed_command([_packed(name, arguments)])
    except BaseException:
        client.connection_pool.release(connection)
        raise

    def read() -> Any:
        try:
            return connection.read_response()
        finally:
            client.connection_pool.release(connection)

    return read


def _evalsha(client: Client, name: str, arguments: Sequence[Argument]) -> Any:
    """Do the same as `client.evalsha` in two thirds of its time: this is the most frequent command.

    A connection that is found broken is opened anew and tried once more, as our clients do.
    """
    command, pool = _packed(name, arguments), client.connection_pool
    connection: Any = pool.get_connection()
    try:
        try:
            return _told(connection, command)
        except redis.ConnectionError:
            connection.disconnect()
            return _told(connection, command)
    finally:
        pool.release(connection)


def _told(connection: Any, command: bytes) -> Any:
    connection.send_packed_command([command])
    return connection.read_response()


def _packed(name: str, arguments: Sequence[Argument]) -> bytes:
    parts: tuple[Any, ...] = ("EVALSHA", _HASHES[name], 0, *arguments)
    packed: bytes = pack_command(parts)
    return packed


def run_replicated(client: Client, replicas: int, name: str, *arguments: Argument) -> Any:
    """Do the same, also in one round trip, and return once so many replicas have everything written so far.

    Raises StoreUnavailable also if they don't have it in time: the change was made then, but may be lost with the
    primary.
    """
    try:
        try:
            answer, copies = _replicated(client, replicas, name, *arguments)
        except redis.exceptions.NoScriptError:
            for each in (name, "replication_mark"):
                client.script_load(text_of(each))
            answer, copies = _replicated(client, replicas, name, *arguments)
    except redis.RedisError as fault:
        refuse_if_away(client, fault)
        raise
    if copies < replicas:
        raise StoreUnavailable(
            f"The job store has {copies} of {replicas} replicas, so what was asked may be done or get lost: ask again, "
            "under the same Idempotency-Key if it is a job."
        )
    return answer


def _replicated(client: Client, replicas: int, name: str, *arguments: Argument) -> tuple[Any, int]:
    with client.pipeline(transaction=False) as pipe:
        pipe.evalsha(_HASHES[name], 0, *arguments)
        # WAIT waits for this connection's last write; a script that ran twice wrote on another connection, or nothing
        pipe.evalsha(_HASHES["replication_mark"], 0, arguments[0])
        pipe.wait(replicas, int(REPLICA_SECONDS * 1000))
        answers = pipe.execute(raise_on_error=False)  # else the error's text would contain the arguments
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers[0], int(answers[2])
