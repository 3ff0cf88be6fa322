"""Samples everything at intervals and writes the samples to a CSV file.

Next: `trend.py`.
"""

import threading
import time
import traceback
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos.deployment import Deployment
from chaos.recovery import percentile
from soak import servers
from soak.job_tracker import JobTracker
from soak.load_generator import LoadGenerator
from soak.plan import SoakPlan
from soak.processes import Figures, busy, look
from soak.trend import Point

RATES = ("scenarios", "accepted", "ended", "mails", "webhooks")


class Sampler:
    """A thread that samples for the duration of a `with`; each line of the file is seconds, figure, value."""

    def __init__(self, plan: SoakPlan, deployment: Deployment, load: LoadGenerator, tracker: JobTracker) -> None:
        """Sample `deployment`, `load` and `tracker`."""
        self.series: defaultdict[str, list[Point]] = defaultdict(list)
        self._plan, self._deployment, self._load, self._tracker = plan, deployment, load, tracker
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")
        self._before = self._totals()

    @property
    def file(self) -> Path:
        """The CSV file."""
        return self._deployment.folder / "samples.csv"

    def __enter__(self) -> Self:
        """Start sampling; times count from here."""
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sampling."""
        self._stopping.set()
        self._thread.join()

    def last(self, figure: str) -> float:
        """Return the latest sample of a figure."""
        return self.series[figure][-1][1] if self.series[figure] else 0.0

    def _run(self) -> None:
        asked, looked = 0.0, self.began
        with self.file.open("w", encoding="utf-8") as file:
            file.write("seconds,figure,value\n")
            while not self._stopping.wait(max(0.0, looked - time.monotonic())):
                looked = time.monotonic() + self._plan.looks_every
                try:
                    figures = self._figures(dear=time.monotonic() - asked >= self._plan.asks_every)
                except Exception:  # noqa: BLE001 -- the test continues after any error and reports it at the end
                    fault = traceback.format_exc(limit=3)
                    if not self._stopping.wait(1.0):  # Ctrl-C also ends RabbitMQ's command-line tools
                        self._tracker.record_fault(f"no sample: {fault}")
                    continue
                asked = time.monotonic() if "rabbitmq: queues" in figures else asked
                at = time.monotonic() - self.began
                for name, value in figures.items():
                    self.series[name].append((at, value))
                    file.write(f'{at:.1f},"{name}",{value:.6g}\n')
                file.flush()

    def _figures(self, *, dear: bool) -> Figures:
        figures = {**look(self._deployment.targets), **servers.store(self._deployment.store), **self._traffic_figures()}
        if dear:
            none = {name: 0.0 for name in self.series if name.startswith("keys: ")}
            figures |= none | servers.keys_by_kind(self._deployment.store)
            figures |= servers.broker(self._deployment.cluster.nodes[0])
        return figures

    def _traffic_figures(self) -> Figures:
        answers, self._load.answers[:] = list(self._load.answers), []
        now, before = self._totals(), self._before
        self._before = now
        seconds = now["clock"] - before["clock"]
        figures = {f"load: {name} a second": (now[name] - before[name]) / seconds for name in RATES}
        figures["load: machine busy, %"] = (
            100 * (now["busy"] - before["busy"]) / max(1e-9, now["time"] - before["time"])
        )
        figures["load: scenarios in progress"] = float(self._load.in_progress)
        if answers:
            figures["load: accept, median, ms"] = 1000 * percentile(answers, 0.5)
            figures["load: accept, p99, ms"] = 1000 * percentile(answers, 0.99)
        return figures

    def _totals(self) -> Figures:
        count, (used, every) = self._tracker.count, busy()
        return {
            "clock": time.monotonic(),
            "scenarios": self._load.done,
            "accepted": count.accepted,
            "ended": sum(count.ended.values()),
            "mails": count.mails,
            "webhooks": count.webhooks,
            "busy": used,
            "time": every,
        }
