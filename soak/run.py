"""A soak test from start to end: find full load, apply half of it, let every job end and expire, report.

Next: `load_generator.py` and `sampler.py`; `report.py` for the results.
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
from soak.mail_drain import drain_mails
from soak.plan import SoakPlan
from soak.report import Report
from soak.sampler import Sampler

MOST_WAITING = 300
"""Jobs or notifications that wait at full load at most: enough to keep workers busy, too few to measure a queue."""
SETTLES_IN = 180.0
"""Seconds after the load within which every job must be complete."""
HELD_BACK = 75.0
"""Additional seconds that an expired job may stay: a minute until the next check if its owner was not notified yet."""
SCHEDULES = 5
MOST_EVENTS = 25_000
"""More than the stream of events keeps (about 20,000)."""
REPORT_EVERY = 60.0


def run_soak(plan: SoakPlan, deployment: Deployment) -> Report:
    """Run a whole test on a deployment that has started; Ctrl-C ends the load early."""
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
    """Fill the stream of events to its limit, which a short test would not reach."""
    pipe = deployment.store.client.pipeline(transaction=False)
    for number in range(MOST_EVENTS):
        event = {"id": f"filling-{number:06d}", "event": "filling", "data": '{"status":"accepted","attempt":0}' * 3}
        pipe.xadd(deployment.store.keys.events, event, maxlen=20_000, approximate=True)  # type: ignore[arg-type]  # texts
    pipe.execute()


def _full_load(plan: SoakPlan, deployment: Deployment, load: LoadGenerator) -> float:
    """Measure the scenarios a second at full speed; this also warms everything up."""
    has_room = _room(deployment)
    load.run_unpaced(plan.measures / 3, has_room)
    done, began = load.done, time.monotonic()
    load.run_unpaced(plan.measures * 2 / 3, has_room)
    full = (load.done - done) / (time.monotonic() - began)
    _say(f"full load: {full:.0f} scenarios a second")
    return full


def _offer(plan: SoakPlan, load: LoadGenerator, samples: Sampler, rate: float, tell: Callable[[], object]) -> None:
    reported = time.monotonic()

    def meanwhile() -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_EVERY:
            reported = time.monotonic()
            tell()

    _say(f"offering {rate:.0f} scenarios a second for {plan.minutes:g} min; samples in {samples.file}")
    with samples:
        load.run_paced(rate, plan.seconds, meanwhile)


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
    """Wait for the end of all scenarios, jobs and mails; record a fault for what does not end."""
    if not load.stop(SETTLES_IN):
        tracker.record_fault("some clients still run")
    try:
        until(lambda: not tracker.unfinished(), SETTLES_IN, "all jobs complete", pause=0.5)
    except NeverHappened:
        for job_id, job in tracker.unfinished().items():
            tracker.record_fault(f"{job_id}: never complete: {job}")


def _wait_for_retention(plan: SoakPlan, deployment: Deployment) -> list[str]:
    """Wait until every job should be deleted; return the keys that remain."""
    _say(f"all ended; waiting {plan.retention} s for their retention")
    try:
        until(lambda: not stray_keys(deployment.store), plan.retention + HELD_BACK, "an empty store", pause=1.0)
    except (NeverHappened, KeyboardInterrupt):
        return stray_keys(deployment.store)
    return []


@contextmanager
def _collecting(deployment: Deployment, tracker: JobTracker) -> Iterator[None]:
    """Report mails and webhooks to the tracker, and forget complete jobs, for the duration of a `with`."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(1.0):
            for message_id in drain_mails(deployment.sink):
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
    """Run some schedules that are due every minute, for the duration of a `with`."""
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
    """Return a function that tells whether the service has room; it asks the store up to 50 times a second."""
    asked, room = 0.0, True

    def has_room() -> bool:
        nonlocal asked, room
        if time.monotonic() - asked > 0.02:
            client, keys = deployment.store.client, deployment.store.keys
            queues = (keys.jobs_in("accepted"), keys.notifications, keys.webhook_notifications)
            room = max(client.zcard(queue) for queue in queues) < MOST_WAITING
            asked = time.monotonic()
        return room

    return has_room


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
