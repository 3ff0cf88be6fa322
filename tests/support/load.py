"""Clients that post jobs, with or without pauses, while a test disturbs the servers."""

import threading
from types import TracebackType
from typing import Any, Self

import requests

from errand.process.waiting import until
from tests.support.stack import Stack

SUM = {"operation": "sum", "value": 30, "other": 10}


class Load:
    """Some clients of one API for the duration of a `with`; `statuses` has the status of each answer they got."""

    def __init__(self, stack: Stack, clients: int = 4, pause: float = 0.0, **fields: Any) -> None:
        """Post sums with `fields`, each client with `pause` seconds between an answer and the next."""
        self.statuses: list[int] = []
        self._url, self._pause, self._body = f"{stack.url}/compute", pause, {**SUM, **fields}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._post) for _ in range(clients)]

    def __enter__(self) -> Self:
        """Start the clients."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> None:
        """Stop, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, answers: int = 200, within: float = 30) -> None:
        """Wait until there are so many more answers."""
        seen = len(self.statuses)
        until(lambda: len(self.statuses) >= seen + answers, within, f"{answers} more answers")

    def _post(self) -> None:
        with requests.Session() as session:
            while not self._stop.wait(self._pause):
                answer = session.post(self._url, json=self._body, timeout=30)
                self.statuses.append(answer.status_code)
