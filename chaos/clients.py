"""The clients: they submit jobs over HTTP, and ask again under the same key until they are told an id.

Stands before step 1 of a job's life. Next: `witness.py`, which sees what becomes of the jobs.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from chaos.wishes import WantedJob

ANSWERS_IN = 10.0
"""Seconds a client waits for an answer before it asks again."""
PAUSE = 0.3
"""Seconds between two tries."""
ASKED_TWICE = 20
"""Each so manieth job is sent once more although it was accepted: the same id must come back."""


@dataclass
class Told:
    """What the clients were told, all of them together."""

    ids: dict[str, str] = field(default_factory=dict)
    """Id of the job by its mark."""
    contradictions: list[str] = field(default_factory=list)
    """Marks for which two ids were told."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Answers other than those hoped for, and connections that failed, by what they were."""
    gave_up: list[str] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """Seconds from each first try to the id."""


class Clients:
    """Some threads that submit the wishes, each when its time has come, and call off those that are to be."""

    def __init__(
        self, urls: Sequence[str], receiver: str, wishes: Sequence[WantedJob], count: int, give_up: float
    ) -> None:
        """Share `wishes` between `count` clients; each tries a job for `give_up` seconds at most. `receiver`: the
        address of webhooks.
        """
        self.told = Told()
        self._urls, self._receiver, self._give_up = urls, receiver, give_up
        self._threads = [
            threading.Thread(target=self._submit_all, args=(number, wishes[number::count])) for number in range(count)
        ]
        self._cancelling: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave it at that."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until all were submitted and called off."""
        for thread in [*self._threads, *self._cancelling]:
            thread.join()

    @property
    def busy(self) -> bool:
        """Tell whether there is anything left to submit."""
        return any(thread.is_alive() for thread in self._threads)

    def _submit_all(self, number: int, wishes: Sequence[WantedJob]) -> None:
        urls = itertools.cycle([*self._urls[number % len(self._urls) :], *self._urls[: number % len(self._urls)]])
        with requests.Session() as session:
            for place, wish in enumerate(wishes):
                if self._stopping.wait(max(0.0, self._began + wish.at - time.monotonic())):
                    return
                for _ in range(2 if place % ASKED_TWICE == 0 else 1):
                    self._submit(session, urls, wish)
                if wish.cancel_after is not None and wish.mark in self.told.ids:
                    thread = threading.Thread(target=self._call_off, args=(wish,))
                    self._cancelling.append(thread)
                    thread.start()

    def _submit(self, session: requests.Session, urls: "itertools.cycle[str]", wish: WantedJob) -> None:
        began = time.monotonic()
        body = wish.body | ({"webhook_url": self._receiver} if wish.hooked else {})
        while time.monotonic() - began < self._give_up and not self._stopping.is_set():
            answer = self._ask(session, f"{next(urls)}/jobs", json=body, headers={"Idempotency-Key": wish.mark})
            if answer is not None and answer.status_code == 202:
                job_id = str(answer.json()["id"])
                if self.told.ids.setdefault(wish.mark, job_id) != job_id:
                    self.told.contradictions.append(wish.mark)
                self.told.answers.append(time.monotonic() - began)
                return
            self._stopping.wait(PAUSE)
        self.told.gave_up.append(wish.mark)

    def _call_off(self, wish: WantedJob) -> None:
        self._stopping.wait(wish.cancel_after)
        urls, began = itertools.cycle(self._urls), time.monotonic()
        with requests.Session() as session:
            while time.monotonic() - began < self._give_up and not self._stopping.is_set():
                answer = self._ask(session, f"{next(urls)}/jobs/{self.told.ids[wish.mark]}/cancel", well=(202, 409))
                if answer is not None and answer.status_code in {202, 409}:
                    return
                self._stopping.wait(PAUSE)
        self.told.gave_up.append(f"cancel {wish.mark}")

    def _ask(
        self, session: requests.Session, url: str, well: Sequence[int] = (202,), **body: Any
    ) -> requests.Response | None:
        """POST, and count what is not as hoped for; None where there is no answer."""
        try:
            answer = session.post(url, timeout=ANSWERS_IN, **body)
        except requests.Timeout:
            self.told.refusals["no answer"] += 1
        except requests.ConnectionError as fault:
            self.told.refusals["refused" if "refused" in str(fault) else "broken off"] += 1
        else:
            if answer.status_code not in well:
                self.told.refusals[str(answer.status_code)] += 1
            return answer
        return None
