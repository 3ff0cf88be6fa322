"""For the API's tests: operations to publish, a store that can become unreachable, and a relay that only records."""

import json
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from errand.store import Store
from tests.support.ports import free_port

ADD = {
    "name": "add",
    "summary": "Adds two numbers.",
    "arguments": {
        "type": "object",
        "properties": {
            "value": {"type": "integer", "minimum": 0},
            "other": {"type": "integer"},
            "notes": {"type": "array", "items": {"type": "string", "maxLength": 3}},
            "a/b~c": {"type": "string"},
        },
        "required": ["value", "other"],
        "additionalProperties": False,
    },
}
ANYTHING = {"name": "anything", "arguments": {"type": "object"}, "limits": {"max_attempts": 7}, "service": "heavy"}
TREE = {
    "name": "tree",
    "arguments": {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {"type": "object", "additionalProperties": {"allOf": [{"anyOf": [{"$ref": "#/$defs/Node"}]}]}}
        },
    },
}


class WatchedStore(Store):
    """A real store that counts reads of the catalogue, and that can become unreachable and reachable again."""

    readings = 0

    @property
    def accepted(self) -> list[dict[str, str]]:
        """All jobs as Redis has them, text by field, with their ids, in the order in which they were accepted."""
        ids = self.client.zrange(self.keys.jobs, 0, -1)
        return [{"id": job_id, **self.client.hgetall(self.keys.job(job_id))} for job_id in ids]

    def show(self, *operations: dict[str, Any]) -> None:
        """Publish operations as a worker does."""
        self.publish_catalogue({operation["name"]: json.dumps(operation) for operation in operations})

    def withdraw_all(self) -> None:
        """Remove every operation from the catalogue."""
        self.client.delete(self.keys.catalogue, f"{self.keys.catalogue}:shown")

    def put(self, job_id: str, record: dict[str, str]) -> None:
        """Set these fields of a job."""
        self.client.delete(self.keys.job(job_id))
        self.client.hset(self.keys.job(job_id), mapping=record)

    def catalogue(self) -> dict[str, str]:
        """Read the catalogue, and count the read."""
        self.readings += 1
        return super().catalogue()

    def go_away(self) -> None:
        """Make the store unreachable."""
        self._there = self.client
        self.client = self._client = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))

    def come_back(self) -> None:
        """Make the store reachable again."""
        self.client = self._client = getattr(self, "_there", self.client)


class SilentRelay:
    """Records the doorbells that a relay would ring."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []
        self.broker_up = True

    def ring(self, job_id: str, queue: str) -> None:
        self.rung.append((job_id, queue))
