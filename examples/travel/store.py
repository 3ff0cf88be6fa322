"""Records in Redis, as JSON, each under its own id."""

import json
import re
from typing import Any
from uuid import uuid4

import redis

from workers.extending import DependencyProvider, settings_of

ID = re.compile("[0-9a-f]{32}")


class Unknown(Exception):
    """There is no record with this id."""


class Records:
    """The records of one kind."""

    def __init__(self, client: Any, kind: str, prefix: str) -> None:
        """Keep the records with `client`, under keys that begin with `prefix`."""
        self._client, self._kind, self._prefix = client, kind, f"{prefix}travel:{kind}:"

    def save(self, record: Any) -> str:
        """Save a record and return its id."""
        record_id = uuid4().hex
        self._client.set(self._prefix + record_id, json.dumps(record))
        return record_id

    def get(self, record_id: str) -> Any:
        """Return a record; raise Unknown."""
        if not self.has(record_id):
            raise Unknown(f"There is no {self._kind} with this id.")
        return json.loads(self._client.get(self._prefix + record_id))

    def has(self, record_id: Any) -> bool:
        """Return whether a record with this id exists; the id may be any value."""
        is_id = isinstance(record_id, str) and ID.fullmatch(record_id)
        return bool(is_id and self._client.exists(self._prefix + record_id))


class Storage(DependencyProvider):
    """Injects the records of one kind; it connects on the first call, and all calls share a connection pool."""

    def __init__(self, kind: str) -> None:
        """Keep records of this kind."""
        super().__init__()
        self._kind = kind

    def setup(self) -> None:
        settings = settings_of(self)
        self._client = redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
        self._records = Records(self._client, self._kind, settings.key_prefix)

    def stop(self) -> None:
        self._client.close()

    def get_dependency(self, worker_ctx: Any) -> Records:
        return self._records
