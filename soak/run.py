"""The tracked of a soak: find full load, offer half of it for long, let everything end and expire, compare.

Stands at the middle of this folder. Next: `load.py` and `sampler.py`; `report.py` for what came of it.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaos.deployment import Deployment
from chaos.event_reader import EventReader
from errand.process.waiting import NeverHappened, until
from soak.http_client import HttpClient
from soak.job_tracker import JobTracker
from soak.leftovers import orphans, stray_keys
from soak.load_generator import LoadGenerator
from soak.mail_drain import taken
from soak.plan import SoakPlan
from soak.report import Report
from soak.sampler import Sampler

MOST_WAITING = 300
"""Jobs or notifications that wait at full load: always some, never so many that a queue is what is measured."""
SETTLES_IN = 180.0
"""Seconds in which every tracked must be complete once the load is over."""
HELD_BACK = 75.0
"""Seconds that an expired job may stay besides: a minute until the next look if its owner was still to be told."""
SCHEDULES = 5
MOST_EVENTS = 25_000
"""More than the stream of events keeps (about 20,000)."""
REPORT_EVERY = 60.0


def run_soak(plan: SoakPlan, deployment: Deployment) -> Report:
    """Play a whole soak on a deployment that has begun; Ctrl-C ends it early, with what there is."""
    tracker = JobTracker(
        lambda job_id: bool(deployment.store.client.hexists(deployment.store.keys.job(job_id), "schedule"))
    )
    load = LoadGenerator(plan, deployment.ports, deployment.receiver.url, tracker)
    report = Report(plan, tracker, load)
    reader = EventReader(deployment.store, tracker.record_event)
    _fill_events(deployment)
    reader.start()
    load.start()
    try:
        with _collecting(deployment, tracker), _schedules(deployment):
            try:
                report.full = _full_load(plan, deployment, load)
                report.rate = plan.rate or min(plan.most, report.full * plan.share)
                report.samples = Sampler(plan, deployment, load, tracker)
                _offer(plan, load, report.samples, report.rate, lambda: _say(_progress(report)))
            except KeyboardInterrupt:
                _say("stopped early")
                report.stopped = True
        with _collecting(deployment, tracker):
            _finish(load, tracker)
    finally:
        load.stop(0)
        reader.stop()
    report.orphans = orphans(deployment.store)
    report.stray = _wait_for_retention(plan, deployment)
    report.crashes = [crash for target in deployment.targets for crash in target.crashes]
    return report


def _fill_events(deployment: Deployment) -> None:
    """Fill the stream of events, as it is after some hours: it has a bound, which short soaks would not reach."""
    pipe = deployment.store.client.pipeline(transaction=False)
    for number in range(MOST_EVENTS):
        event = {"id": f"filling-{number:06d}", "event": "filling", "data": '{"status":"accepted","attempt":0}' * 3}
        pipe.xadd(deployment.store.keys.events, event, maxlen=20_000, approximate=True)  # type: ignore[arg-type]  # texts
    pipe.execute()


def _full_load(plan: SoakPlan, deployment: Deployment, load: LoadGenerator) -> float:
    """Measure how many scenarios a second there are when clients do them as fast as they go; it warms everything up, too."""
    has_room = _room(deployment)
    load.run_unpaced(plan.measures / 3, has_room)
    done, began = load.done, time.monotonic()
    load.run_unpaced(plan.measures * 2 / 3, has_room)
    full = (load.done - done) / (time.monotonic() - began)
    _say(f"full load: {full:.0f} scenarios a second")
    return full


def _offer(plan: SoakPlan, load: LoadGenerator, samples: Sampler, rate: float, tell: Callable[[], object]) -> None:
    reported = time.monotonic()

    def besides() -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_EVERY:
            reported = time.monotonic()
            tell()

    _say(f"offering {rate:.0f} scenarios a second for {plan.minutes:g} min; samples in {samples.file}")
    with samples:
        load.run_paced(rate, plan.seconds, besides)


def _progress(report: Report) -> str:
    samples, tracker = report.samples, report.tracker
    assert samples is not None, "told only while there is load"
    memory = sum(samples.last(name) for name in list(samples.series) if name.endswith(": memory, MB"))
    keys = sum(samples.last(name) for name in list(samples.series) if name.startswith("keys: "))
    parts = [
        f"{(time.monotonic() - samples.began) / 60:4.1f} min: {tracker.count.accepted} jobs accepted",
        f"{samples.last('load: ended a second'):.0f} ended a second",
        f"machine {samples.last('load: machine busy, %'):.0f} % busy",
        f"{memory:.0f} MB",
        f"{keys:.0f} keys",
        f"{samples.last('rabbitmq: connections'):.0f} connections",
        f"{tracker.faults} things wrong",
    ]
    return ", ".join(parts)


def _finish(load: LoadGenerator, tracker: JobTracker) -> None:
    """Let all scenarios end, all jobs end and all mails come; record_fault of what doesn't."""
    if not load.stop(SETTLES_IN):
        tracker.record_fault("some clients are still at it")
    try:
        until(lambda: not tracker.unfinished(), SETTLES_IN, "the end of all jobs", pause=0.5)
    except NeverHappened:
        for job_id, tracked in tracker.unfinished().items():
            tracker.record_fault(f"{job_id}: never complete: {tracked}")


def _wait_for_retention(plan: SoakPlan, deployment: Deployment) -> list[str]:
    """Wait until every job should be forgotten; name what is left."""
    _say(f"all ended; waiting {plan.retention} s for their retention")
    try:
        until(lambda: not stray_keys(deployment.store), plan.retention + HELD_BACK, "an empty store", pause=1.0)
    except (NeverHappened, KeyboardInterrupt):
        return stray_keys(deployment.store)
    return []


@contextmanager
def _collecting(deployment: Deployment, tracker: JobTracker) -> Iterator[None]:
    """Bring mails and webhooks to the tracker, and close what is complete, for the time of a `with`."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(1.0):
            for message_id in taken(deployment.sink):
                tracker.record_mail(message_id)
            for delivery in deployment.receiver.take():
                tracker.record_webhook(delivery)
            tracker.close_finished()

    thread = threading.Thread(target=work, name="clerk")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def _schedules(deployment: Deployment) -> Iterator[None]:
    """Have some schedules tick every minute for the time of a `with`."""
    caller = HttpClient(deployment.ports)
    body = {"cron": "* * * * *", "operation": "sum", "arguments": {"value": 30, "other": 10}}
    for number in range(SCHEDULES):
        caller.call(number, "PUT", f"/schedules/standing-{number}", body, (201,))
    try:
        yield
    finally:
        for number in range(SCHEDULES):
            caller.call(number, "DELETE", f"/schedules/standing-{number}", expect=(204,))
        caller.close()


def _room(deployment: Deployment) -> Callable[[], bool]:
    """Tell whether the service has room for more, asked of the store several times a second at most."""
    asked, room = 0.0, True

    def has_room() -> bool:
        nonlocal asked, room
        if time.monotonic() - asked > 0.02:
            client, keys = deployment.store.client, deployment.store.keys
            queues = (keys.jobs_in("accepted"), keys.notices, keys.webhook_notices)
            room = max(client.zcard(queue) for queue in queues) < MOST_WAITING
            asked = time.monotonic()
        return room

    return has_room


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
