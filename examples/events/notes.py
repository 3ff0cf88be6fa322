"""Notes in Redis of the events that were heard; kept for an hour, and each only once."""

import json
import os
import socket
from collections.abc import Mapping

import redis

from workers.extending import DependencyProvider, settings_of

KEPT_SECONDS = 3600


class Notebook:
    """Notes under an id, shared by all processes."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client, self._prefix = client, prefix
        self._instance = f"{socket.gethostname()}:{os.getpid()}"

    def note(self, about: str, service: str, kind: str, payload: object) -> None:
        """Note that this instance of `service` heard the event `about`, with this `kind` of delivery."""
        note = {"service": service, "kind": kind, "instance": self._instance, "payload": payload}
        entry = json.dumps(note, sort_keys=True)
        with self._client.pipeline() as both:  # one transaction, so that no note is without its expiry
            both.sadd(self._prefix + about, entry).expire(self._prefix + about, KEPT_SECONDS).execute()

    def about(self, about: str) -> list[Mapping[str, object]]:
        """Return all notes about an event, by kind, service and instance."""
        notes = [json.loads(entry) for entry in self._client.smembers(self._prefix + about)]
        return sorted(notes, key=lambda note: (note["kind"], note["service"], note["instance"]))


class Notes(DependencyProvider):
    """Injects the notebook, shared by all calls of an instance."""

    def setup(self) -> None:
        settings = settings_of(self)
        client = redis.Redis.from_url(settings.redis_url, decode_responses=True, socket_timeout=5)
        self._notebook = Notebook(client, f"{settings.key_prefix}examples:events:")

    def get_dependency(self, worker_ctx: object) -> Notebook:
        return self._notebook
