"""The sampler: looks at everything now and then, and writes down what it saw.

Stands beside the whole soak. Next: `judge.py`.
"""

import threading
import time
import traceback
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos.recovery import at_share
from chaos.scene import Scene
from soak import servers
from soak.books import Books
from soak.judge import Point
from soak.plan import SoakPlan
from soak.processes import Figures, busy, look
from soak.traffic import Traffic

RATES = ("acts", "accepted", "ended", "mails", "webhooks")


class Sampler:
    """A thread that samples for the time of a `with`; every sample is a line of a CSV file: seconds, figure, value."""

    def __init__(self, plan: SoakPlan, scene: Scene, traffic: Traffic, books: Books) -> None:
        """Look at `scene`, `traffic` and `books`."""
        self.series: defaultdict[str, list[Point]] = defaultdict(list)
        self._plan, self._scene, self._traffic, self._books = plan, scene, traffic, books
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")
        self._before = self._totals()

    @property
    def file(self) -> Path:
        """Where the samples are."""
        return self._scene.folder / "samples.csv"

    def __enter__(self) -> Self:
        """Begin; times count from here."""
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more samples."""
        self._stopping.set()
        self._thread.join()

    def last(self, figure: str) -> float:
        """Give the latest sample of a figure."""
        return self.series[figure][-1][1] if self.series[figure] else 0.0

    def _run(self) -> None:
        asked, looked = 0.0, self.began
        with self.file.open("w", encoding="utf-8") as file:
            file.write("seconds,figure,value\n")
            while not self._stopping.wait(max(0.0, looked - time.monotonic())):
                looked = time.monotonic() + self._plan.looks_every
                try:
                    figures = self._figures(dear=time.monotonic() - asked >= self._plan.asks_every)
                except Exception:  # noqa: BLE001 -- whatever fails, the soak goes on and says so at the end
                    fault = traceback.format_exc(limit=3)
                    if not self._stopping.wait(1.0):  # Ctrl-C ends RabbitMQ's own commands too
                        self._books.complain(f"no sample: {fault}")
                    continue
                asked = time.monotonic() if "rabbitmq: queues" in figures else asked
                at = time.monotonic() - self.began
                for name, value in figures.items():
                    self.series[name].append((at, value))
                    file.write(f'{at:.1f},"{name}",{value:.6g}\n')
                file.flush()

    def _figures(self, *, dear: bool) -> Figures:
        figures = {**look(self._scene.targets), **servers.store(self._scene.store), **self._traffic_figures()}
        if dear:
            none = {name: 0.0 for name in self.series if name.startswith("keys: ")}
            figures |= none | servers.keys_by_kind(self._scene.store)
            figures |= servers.broker(self._scene.cluster.nodes[0])
        return figures

    def _traffic_figures(self) -> Figures:
        answers, self._traffic.answers[:] = list(self._traffic.answers), []
        now, before = self._totals(), self._before
        self._before = now
        seconds = now["clock"] - before["clock"]
        figures = {f"load: {name} a second": (now[name] - before[name]) / seconds for name in RATES}
        figures["load: machine busy, %"] = (
            100 * (now["busy"] - before["busy"]) / max(1e-9, now["time"] - before["time"])
        )
        figures["load: acts going on"] = float(self._traffic.going_on)
        if answers:
            figures["load: accept, median, ms"] = 1000 * at_share(answers, 0.5)
            figures["load: accept, p99, ms"] = 1000 * at_share(answers, 0.99)
        return figures

    def _totals(self) -> Figures:
        count, (used, every) = self._books.count, busy()
        return {
            "clock": time.monotonic(),
            "acts": self._traffic.done,
            "accepted": count.accepted,
            "ended": sum(count.ended.values()),
            "mails": count.mails,
            "webhooks": count.webhooks,
            "busy": used,
            "time": every,
        }
