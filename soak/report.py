"""The report of a soak test: each figure with its trend, and everything that should not exist."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from soak.job_tracker import JobTracker
from soak.load_generator import LoadGenerator
from soak.plan import SoakPlan
from soak.sampler import Sampler
from soak.trend import Trend, trend_of

FLOORS = {
    "valkey: data, MB": 4,
    "valkey: memory, MB": 8,
    "valkey: clients": 8,
    "valkey: sockets": 8,
    "rabbitmq-1 children: memory, MB": 24,
    "rabbitmq: Erlang memory, MB": 24,
    "rabbitmq: Erlang processes": 30,
    "rabbitmq: queues": 0,
    "rabbitmq: messages": 100,
    "rabbitmq:": 2,
    ": memory, MB": 3,
    ": threads": 3,
    " children: sockets": 8,
    ": sockets": 3,
    ": other files": 3,
    ": processes": 2,
    "zombies": 2,
    "store: totals": 0,
    "store: durations": 0,
    "store: busy": 0,
    "store: services": 0,
    "store: catalogue": 0,
    "store: jobs beyond retention": 0,
    "store: events": 500,
    "store:": 100,
    "keys:": 100,
    "load: accept, median, ms": 10,
    "load: accept, p99, ms": 200,
    "load: scenarios in progress": 20,
}
"""Growth over the window that may be chance, by a part of the figure's name; the first match counts. A figure without a
match is shown but not judged."""
MUST_BE_NONE = frozenset({"store: jobs beyond retention", "zombies"})
"""Figures that must be 0 most of the time."""
ALIKE = (": threads", ": sockets", ": other files", ": processes")
"""Figures that every process has; if flat, they share one line."""
MOST = 40
"""Cases of one sort that are printed at most."""
Trends = dict[str, Trend | None]


@dataclass
class Report:
    """All results of a test."""

    plan: SoakPlan
    tracker: JobTracker
    load: LoadGenerator
    full: float = 0.0
    rate: float = 0.0
    samples: Sampler | None = None
    stopped: bool = False
    orphans: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    @cached_property
    def trends(self) -> Trends:
        """The trend of each figure after the warm-up."""
        series = self.samples.series if self.samples else {}
        return {
            name: trend_of([point for point in points if point[0] >= self.plan.warm_up], floor_of(name) or 0.0)
            for name, points in sorted(series.items())
        }

    @property
    def grown(self) -> list[str]:
        """The figures that grow."""
        return [name for name, trend in self.trends.items() if trend and word_for(name, trend) == "grows"]

    @property
    def holds(self) -> bool:
        """Return whether every figure is flat and every other check passed."""
        broken = (self.grown, self.tracker.faults, self.orphans, self.stray, self.crashes)
        return not any(broken) and any(self.trends.values())

    @property
    def text(self) -> str:
        """The report as printed."""
        return "\n".join([*self._summary(), "", *table(self.trends, short=True), *self._cases()])

    def write_all(self) -> None:
        """Write the complete table next to the samples."""
        if self.samples:
            lines = table(self.trends, short=False)
            self.samples.file.with_name("figures.md").write_text("\n".join(lines) + "\n", "utf-8")

    def _summary(self) -> Iterator[str]:
        count = self.tracker.count
        yield f"seed {self.plan.seed}; full load {self.full:.0f} scenarios a second, offered {self.rate:.0f}"
        yield f"accepted {count.accepted}, by schedules {count.scheduled}; ended {dict(sorted(count.ended.items()))}"
        late = self.load.longest_delay
        yield f"mails {count.mails}, webhooks {count.webhooks}; scenarios started {late:.1f} s late at most"
        cut = ", stopped early" * self.stopped
        yield f"{self.plan.minutes:g} min{cut}; the first {self.plan.warm_up:.0f} s don't count"
        yield f"grows: {', '.join(self.grown) or 'nothing'}; wrong: {self.tracker.faults} things"

    def _cases(self) -> Iterator[str]:
        yield from ("", *(f"{count} times: {what}" for what, count in self.load.failed.most_common(MOST)))
        for sort in ("wrong", "orphans", "stray", "crashes"):
            found = self.tracker.wrong if sort == "wrong" else getattr(self, sort)
            yield from (f"{sort}: {case}" for case in found[:MOST])
            if len(found) > MOST:
                yield f"{sort}: … and {len(found) - MOST} more"


def floor_of(name: str) -> float | None:
    """Return how much a figure may grow by chance; None: it is not judged."""
    return next((floor for part, floor in FLOORS.items() if part in name), None)


def word_for(name: str, trend: Trend) -> str:
    """Return `grows`, `flat`, or an empty text for a figure that is not judged."""
    if name in MUST_BE_NONE and trend.last > 0:
        return "grows"
    if floor_of(name) is None:
        return ""
    return "grows" if trend.grows else "flat"


def table(trends: Trends, *, short: bool) -> list[str]:
    """Write the figures in Markdown; `short` combines the flat figures that every process has."""
    rows = ["| figure | after warm-up | at the end | most | an hour | |", "|---|---|---|---|---|---|"]
    for name, trend in trends.items():
        if trend and not (short and name.endswith(ALIKE) and word_for(name, trend) == "flat"):
            rows.append(_row(name, trend))
    for part in ALIKE if short else ():
        rows += _together(part, {name: each for name, each in trends.items() if each and name.endswith(part)})
    return rows


def _together(part: str, trends: dict[str, Trend]) -> Sequence[str]:
    flat = [trend for name, trend in trends.items() if word_for(name, trend) == "flat"]
    if not flat:
        return []
    first, last, most, hour = (sum(getattr(v, name) for v in flat) for name in ("first", "last", "most", "per_hour"))
    total = Trend(first, last, 0.0, hour, most, grows=False)
    return [_row(f"{part.removeprefix(': ')} of all {len(flat)} processes and kinds of children", total, "each flat")]


def _row(name: str, trend: Trend, said: str | None = None) -> str:
    word = word_for(name, trend) if said is None else said
    numbers = [f"{number:.4g}" for number in (trend.first, trend.last, trend.most)]
    cells = [name, *numbers, f"{trend.per_hour:+.3g}", "**grows**" if word == "grows" else word]
    return f"| {' | '.join(cells)} |"
