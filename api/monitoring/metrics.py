"""Metrics in Prometheus' text format: `GET /metrics`.

Figures of jobs come from the store, so every API process reports the same ones; all others describe the process that
answers. Next: `errand/store/counts.py`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint

from api.context import Errand, current_errand
from api.http.answer import Answer
from api.http.specs import Spec, documented, text_response
from api.monitoring.readiness import readiness
from errand.errors import StoreUnavailable
from errand.store import Counts

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

metrics = Blueprint("metrics", __name__)

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Pairs of label values and a figure."""


_METRICS: Final = """\
# HELP errand_jobs Jobs in each status.
# TYPE errand_jobs gauge
errand_jobs{status="running"} 3.0
"""


METERING: Final[Spec] = {
    "responses": {"200": text_response("Prometheus' text format, version 0.0.4.", "text/plain", _METRICS)}
}


@metrics.get("/metrics")
@documented("getMetrics", tags=["health"], **METERING)
def meter() -> Answer:
    """Read the metrics

    While the store is down, `errand_store_up` is 0 and the figures of jobs are missing.
    """
    from prometheus_client.exposition import generate_latest  # only an API that is scraped pays for this import

    return Answer(
        generate_latest(Exposition(current_errand())), headers={"Cache-Control": "no-store"}, content_type=MEDIA_TYPE
    )


class Exposition:
    """The current metrics; prometheus_client calls `collect`."""

    def __init__(self, errand: Errand) -> None:
        """Report on these parts."""
        self._errand = errand

    def collect(self) -> Iterator["Metric"]:
        """Yield every metric."""
        try:
            counts, states = self._errand.store.counts(), readiness(self._errand)
        except StoreUnavailable:
            yield gauge("store_up", "1 when the store answers.", 0)
        else:
            yield gauge("store_up", "1 when the store answers.", 1)
            yield from of_jobs(counts)
            yield from of_services(states)
        yield gauge("broker_up", "1 when the broker took this process's last doorbell.", self._errand.relay.broker_up)
        yield gauge("api_watchers", "Open event streams and waits in this process.", self._errand.broadcaster.count)
        yield gauge(
            "api_watchers_max",
            "Maximum of open event streams and waits: API_STREAMS.",
            self._errand.settings.api_streams,
        )


def of_jobs(counts: Counts) -> Iterator["Metric"]:
    """Yield the metrics that the store counts."""
    jobs = [((str(status),), number) for status, number in counts.jobs.items()]
    yield gauges("jobs", "Jobs in each status.", ("status",), jobs)
    queues = ("queue", "priority")
    waiting = [((each.queue, each.priority), each.jobs) for each in counts.waiting]
    yield gauges("jobs_waiting", "Jobs waiting for a worker.", queues, waiting)
    oldest = [((each.queue, each.priority), each.oldest_ms / 1000) for each in counts.waiting]
    yield gauges("jobs_waiting_oldest_seconds", "How long the first job of each queue has waited.", queues, oldest)
    yield gauge("jobs_delayed", "Scheduled jobs, including retries that wait.", counts.delayed)
    yield gauge("outbox_jobs", "Jobs whose doorbell the broker has not confirmed yet.", counts.outbox)
    due = [((str(channel),), number) for channel, number in counts.notifications_due.items()]
    yield gauges("notifications_due", "Notifications that are due.", ("channel",), due)
    ended = [((operation, str(status)), number) for (operation, status), number in counts.finished.items()]
    yield counters("jobs_finished", "Jobs that reached a final status.", ("operation", "status"), ended)
    busy = [((operation,), seconds) for operation, seconds in counts.busy.items()]
    yield counters("jobs_run_seconds", "Duration of the last attempts of finished jobs.", ("operation",), busy)
    usual = [((operation,), ms / 1000) for operation, ms in counts.mean_ms.items()]
    yield gauges("job_usual_seconds", "Mean duration of recent attempts.", ("operation",), usual)


def of_services(states: dict[str, Any]) -> Iterator["Metric"]:
    """Yield the metrics of what `GET /readyz` shows."""
    alive = [((name,), state == "up") for name, state in states["workers"].items()]
    yield gauges("service_up", "1 when a worker that runs the service is alive.", ("service",), alive)
    lacking = len(states["operations_without_worker"])
    yield gauge("operations_without_worker", "Operations of waiting jobs that no live worker runs.", lacking)
    if state := states["dependencies"].get("mail_server"):
        yield gauge("mail_server_up", "1 when the mail server took the last mail.", state == "up")


def gauge(name: str, text: str, value: float) -> "Metric":
    """Make a gauge without labels."""
    return gauges(name, text, (), [((), value)])


def gauges(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> "Metric":
    """Make a gauge with labels."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(f"errand_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def counters(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> "Metric":
    """Make a counter with labels; `_total` is appended to its name."""
    from prometheus_client.metrics_core import CounterMetricFamily

    family = CounterMetricFamily(f"errand_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
