"""Stand-ins for what the API works with, for tests that need no server: a store and a relay in memory."""

import json

from errand.errors import StoreUnavailable
from errand.store import NewJob

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


class MemoryStore:
    """Keeps what was accepted in a list; `down` makes every call fail as a store that is away does."""

    def __init__(self) -> None:
        self.accepted: list[NewJob] = []
        self.records: dict[str, dict[str, str]] = {}
        self.operations = {operation["name"]: json.dumps(operation) for operation in (ADD, ANYTHING, TREE)}
        self.readings = 0
        self.down = False

    def accept(self, job: NewJob) -> bool:
        self.ping()
        self.accepted.append(job)
        return True

    def get(self, job_id: str) -> dict[str, str] | None:
        self.ping()
        return self.records.get(job_id)

    def ping(self) -> None:
        if self.down:
            raise StoreUnavailable()

    def catalogue(self) -> dict[str, str]:
        self.ping()
        self.readings += 1
        return dict(self.operations)


class SilentRelay:
    """Notes which doorbells should have been rung."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []
        self.broker_up = True

    def ring(self, job_id: str, service: str) -> None:
        self.rung.append((job_id, service))
