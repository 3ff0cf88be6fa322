"""Runs scenarios: as fast as possible, to find full load, or at a fixed rate.

Next: `scenarios.py`.
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from random import Random

from soak.client import SoakClient
from soak.http_client import HttpClient, UnexpectedResponse
from soak.job_tracker import JobTracker
from soak.plan import SoakPlan
from soak.scenarios import SCENARIOS

NUMBERS_PER_SCENARIO = 1000
"""Range of numbers that one scenario may use."""


class LoadGenerator:
    """Threads that each run one scenario at a time, when it is due."""

    def __init__(self, plan: SoakPlan, ports: list[int], receiver: str, tracker: JobTracker) -> None:
        """Call the APIs at these ports; `receiver` is the URL for webhooks."""
        self.answers: list[float] = []
        """Seconds until each job was accepted; the sampler empties the list."""
        self.longest_delay: float = 0.0
        """Longest delay (s) of a scenario's start."""
        self.begun = self.done = 0
        self.failed: Counter[str] = Counter()
        """Failed scenarios, by what went wrong."""
        self._plan, self._ports, self._receiver, self._tracker = plan, ports, receiver, tracker
        self._due: SimpleQueue[tuple[int, float] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, name="client", daemon=True) for _ in range(plan.clients)]

    def start(self) -> None:
        """Start the threads; they wait for scenarios that are due."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 90.0) -> bool:
        """Finish the scenarios that are due; return False if one still runs after this time."""
        for _ in self._threads:
            self._due.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def in_progress(self) -> int:
        """Number of scenarios that are due or running."""
        return self.begun - self.done

    def run_unpaced(self, seconds: float, has_room: Callable[[], bool]) -> None:
        """Run scenarios as fast as possible: another one whenever a client is free and the service has room."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            free = self._plan.clients - self.in_progress
            if free > 0 and has_room():
                for _ in range(min(free, 20)):
                    self._begin(now)
            else:
                time.sleep(0.002)

    def run_paced(self, rate: float, seconds: float, meanwhile: Callable[[], object]) -> None:
        """Start `rate` scenarios a second, however many are still running; call `meanwhile` now and then."""
        began = time.monotonic()
        count = 0
        while (passed := time.monotonic() - began) < seconds:
            while count < passed * rate:
                self._begin(began + count / rate)
                count += 1
            meanwhile()
            time.sleep(0.005)

    def _begin(self, due: float) -> None:
        self.begun += 1
        self._due.put((self.begun, due))

    def _work(self) -> None:
        caller = HttpClient(self._ports)
        with suppress(UnexpectedResponse):  # an API that is down now is called later
            caller.connect()
        while (scenario := self._due.get()) is not None:
            number, due = scenario
            delay = time.monotonic() - due
            fault = self._run_scenario(caller, number)
            with self._lock:
                self.done += 1
                self.longest_delay = max(self.longest_delay, delay)
                if fault:
                    self.failed[fault] += 1
        caller.close()

    def _run_scenario(self, caller: HttpClient, number: int) -> str:
        """Run one scenario; return what went wrong, or an empty text."""
        random = Random(f"{self._plan.seed} {number}")
        [scenario] = random.choices(list(SCENARIOS), list(SCENARIOS.values()))
        try:
            scenario(
                SoakClient(caller, self._tracker, self._receiver, number * NUMBERS_PER_SCENARIO, random, self.answers)
            )
        except (UnexpectedResponse, OSError, http.client.HTTPException) as fault:
            what = f"{scenario.__name__}: {type(fault).__name__} {fault}"
            self._tracker.record_fault(what)
            return what
        return ""
