"""Garbage messages for queues, generated from a seed so that a run can be repeated."""

import json
import zlib
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

from kombu import Connection

TEN_MB = b"x" * 10_000_000
BOMB = {"body": zlib.compress(b"0" * 200_000_000), "headers": {"compression": "application/x-gzip"}}
"""200 KB that are 200 MB once they are unpacked."""

TYPES = ("application/json", "text/plain", "application/x-python-serialize", "application/x-sausage", "", "ü" * 40)
ENCODINGS = ("utf-8", "binary", "utf-16", "zlib", "punycode", "nonsense", "")
HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "application/x-gzip"},
    {"compression": 5},
    {"nameko.call_id_stack": 5},
    {"x-death": [{"count": 2**60}], "": None},
)
REPLIES = (None, "nowhere", "")


def garbage(seed: int, known: list[str]) -> Iterator[dict[str, Any]]:
    """Give messages as keywords of kombu's `publish`; `known` are ids of jobs, which are to be heard in vain."""
    random = Random(f"garbage {seed}")
    some_id = str(UUID(int=random.getrandbits(128), version=4))
    bodies = [
        b"",
        b"\xff\xfe",
        b"null",
        b"{}",
        b'{"id": 1}',
        b'{"args": [], "kwargs": {}}',
        b'{"args": [{"__type__": "decimal", "__value__": "x"}, 1, 2], "kwargs": {"email": {"__type__": []}}}',
        b"[" * 100_000,
        b"cos\nsystem\n(S'true'\ntR.",
        some_id.encode(),
        some_id.upper().encode(),
        f"{some_id}\n".encode(),
        *(job_id.encode() for job_id in known),
        *(json.dumps({"id": job_id, "status": "succeeded"}).encode() for job_id in known),
        *(random.randbytes(random.randrange(1, 2000)) for _ in range(30)),
    ]
    for body in bodies:
        yield {
            "body": body,
            "content_type": random.choice(TYPES),
            "content_encoding": random.choice(ENCODINGS),
            "headers": dict(random.choice(HEADERS)),
            "correlation_id": random.choice((None, "", "c" * 200)),
            **({} if (reply_to := random.choice(REPLIES)) is None else {"reply_to": reply_to}),
        }


def throw(connection: Connection, where: tuple[str, str], message: dict[str, Any]) -> None:
    """Publish a message to an exchange and a routing key, whatever it is."""
    exchange, routing_key = where
    properties = {"content_type": "text/plain", "content_encoding": "binary", **message}
    connection.Producer(auto_declare=False).publish(
        properties.pop("body"), exchange=exchange, routing_key=routing_key, serializer=None, retry=False, **properties
    )
