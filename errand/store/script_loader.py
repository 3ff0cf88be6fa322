"""The Redis scripts: loads `scripts/*.lua` with what they share and the legal moves in front, and runs them by hash.

Stands under every step of a job that changes it. Next: `jobs.py`.
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
from errand.store.availability import refuse_if_away

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
    # Redis reads flags in the first line only. With `#!lua` a script isn't even begun when the store is full; with
    # allow-oom it is, as those by which jobs end and leave must be: a store that lets nothing out stays full.
    flags = text.split("\n", 1)[0] + "\n" if text.startswith("#!") else ""
    body = "\n".join([*(shared[part] for part in parts), text.removeprefix(flags)])
    return flags + body.replace("@LEGAL@", _words())


_TEXTS: Final = _read()
_HASHES: Final = {  # the names Redis itself gives them
    name: sha1(text.encode(), usedforsecurity=False).hexdigest() for name, text in _TEXTS.items()
}


PROMISES: Final = frozenset(
    (
        *("accept", "add_letter", "cancel", "claim_notifications", "commit", "delete_job", "link_secret", "retry"),
        *("retry_notifications", "schedule_delete", "schedule_put", "set_subscription", "settle_notification"),
    )
)
"""Scripts whose answer is told outside: to a client, or as a mail. With STORE_REPLICAS it is held back until replicas
have what was written. Not among them: claims and rounds of the rescuer, for what they did is done again if it is lost.
"""
REPLICA_SECONDS: Final = 2.0
"""How long to wait for the replicas."""


def run(client: Client, name: str, *arguments: Argument) -> Any:
    """Run script `name` in one round trip (two when Redis has forgotten it); raise StoreUnavailable when it can't."""
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
    """Send script `name`, and give what reads its answer: to be called once, and in any case. Both raise RedisError."""
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
    """Do as `client.evalsha`, in two thirds of its time: no command is asked for as often as this one.

    As with our clients, a connection that is found broken is tried once more, newly made.
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
    """Do the same, and answer when so many replicas have all that was written so far; in one round trip, too.

    Raises StoreUnavailable also when they haven't it in time: it was done then, and may get lost with the primary.
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
        # WAIT waits for what this connection wrote last; a script that was asked twice wrote on another, or nothing
        pipe.evalsha(_HASHES["replication_mark"], 0, arguments[0])
        pipe.wait(replicas, int(REPLICA_SECONDS * 1000))
        answers = pipe.execute(raise_on_error=False)  # which would put what was sent into the error's text
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers[0], int(answers[2])
