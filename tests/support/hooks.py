"""A webhooks service for tests: jobs end in a real store, and a real worker notifies their receivers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from errand.broker.messages import doorbell
from errand.broker.publisher import Publisher
from errand.process.waiting import until
from errand.settings import Settings
from errand.store import Store
from errand.trust.signing import new_secret
from schemas.operations import WEBHOOKS
from tests.support.jobs import claimed, succeeded
from tests.support.stack import Worker
from tests.support.web import WebServer

SECRET = new_secret()
QUICK = {"WEBHOOK_TIMEOUT": "1", "WEBHOOK_PAUSE": "0.2", "GUARD_ALLOW": "127.0.0.0/8", "WEBHOOK_SECRET": SECRET}


class Hooks:
    """A store, and a worker with the webhooks service on it."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        """Describe them; nothing is started."""
        named = {name.lower(): value for name, value in env.items() if name.lower() in Settings.model_fields}
        self.settings = Settings(_env_file=None, **named)
        self.store = Store.connect(self.settings)
        self._publisher = Publisher(self.settings.amqp_uri)
        self.worker = Worker(["webhooks"], folder / "webhooks.log", env)

    def tell(self, url: str, result: str = "40", **fields: Any) -> str:
        """Have a job succeed that tells `url`; return its id."""
        lease = claimed(self.store, webhook_url=url, **fields)
        succeeded(self.store, lease, result)
        self.ring()
        return lease.id

    def ring(self) -> None:
        """Ring the doorbell, as a commit does."""
        self._publisher.publish([doorbell(WEBHOOKS, "look")])

    def note(self, job_id: str, name: str = "result") -> dict[str, Any]:
        """Return the notification as it stands."""
        text = self.store.client.hget(self.store.keys.job(job_id), f"note:webhook:{name}")
        assert text, "the job has no such notification"
        note: dict[str, Any] = json.loads(text)
        return note

    def settled(self, job_id: str, within: float = 30) -> dict[str, Any]:
        """Wait until nothing more is tried, and return the notification."""
        until(lambda: self.note(job_id)["state"] != "pending", within, "the webhook settled")
        return self.note(job_id)

    def put_off(self, job_id: str, within: float = 30) -> dict[str, Any]:
        """Wait until an attempt has failed that is made again, and return the notification."""
        until(lambda: "last_error" in self.note(job_id), within, "an attempt written down")
        return self.note(job_id)

    def hasten(self) -> None:
        """Make every pause and lease end now."""
        key = self.store.keys.webhook_notifications
        for member in self.store.client.zrange(key, 0, -1):
            self.store.client.zadd(key, {member: 1}, xx=True)
        self.ring()

    def close(self) -> None:
        """Stop the worker and close the connections."""
        self.worker.stop()
        self._publisher.close()
        self.store.client.close()


@contextmanager
def telling(folder: Path, env: dict[str, str]) -> Iterator[Hooks]:
    """Run the service for the duration of a `with`."""
    hooks = Hooks(folder, {**QUICK, **env})
    try:
        hooks.worker.start()
        yield hooks
    finally:
        hooks.close()


def headers_of(request: str) -> dict[str, str]:
    """Return the headers of a request, their names in lower case."""
    lines = [line.partition(": ") for line in request.split("\r\n")[1:] if line]
    return {name.lower(): value for name, _, value in lines}


def events(server: WebServer, secret: str = SECRET) -> list[dict[str, Any]]:
    """Verify every request that came as its receiver should, and return the events."""
    verify = Webhook(secret).verify
    return [verify(body, headers_of(head)) for head, body in zip(server.requests, server.bodies, strict=True)]


def ids(server: WebServer) -> list[str]:
    """Return the webhook-id of each request that came."""
    return [headers_of(request)["webhook-id"] for request in server.requests]
