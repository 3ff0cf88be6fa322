"""The story of a soak: find full load, offer half of it for long, let everything end and expire, compare.

Stands at the middle of this folder. Next: `traffic.py` and `sampler.py`; `report.py` for what came of it.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaos.follower import Follower
from chaos.scene import Scene
from errand.process.waiting import NeverHappened, until
from soak.books import Books
from soak.calls import SoakCaller
from soak.leftovers import orphans, stray_keys
from soak.letters import taken
from soak.plan import SoakPlan
from soak.report import Report
from soak.sampler import Sampler
from soak.traffic import Traffic

MOST_WAITING = 300
"""Jobs or notifications that wait at full load: always some, never so many that a queue is what is measured."""
SETTLES_IN = 180.0
"""Seconds in which every story must be complete once the load is over."""
HELD_BACK = 75.0
"""Seconds that an expired job may stay besides: a minute until the next look if its owner was still to be told."""
SCHEDULES = 5
MOST_EVENTS = 25_000
"""More than the stream of events keeps (about 20,000)."""
TELLS_EVERY = 60.0


def play(plan: SoakPlan, scene: Scene) -> Report:
    """Play a whole soak on a scene that has begun; Ctrl-C ends it early, with what there is."""
    books = Books(lambda job_id: bool(scene.store.client.hexists(scene.store.keys.job(job_id), "schedule")))
    traffic = Traffic(plan, scene.ports, scene.receiver.url, books)
    report = Report(plan, books, traffic)
    follower = Follower(scene.store, books.see)
    _fill_events(scene)
    follower.start()
    traffic.start()
    try:
        with _clerk(scene, books), _schedules(scene):
            try:
                report.full = _full_load(plan, scene, traffic)
                report.rate = plan.rate or min(plan.most, report.full * plan.share)
                report.samples = Sampler(plan, scene, traffic, books)
                _offer(plan, traffic, report.samples, report.rate, lambda: _say(_progress(report)))
            except KeyboardInterrupt:
                _say("stopped early")
                report.stopped = True
        with _clerk(scene, books):
            _settle(traffic, books)
    finally:
        traffic.stop(0)
        follower.stop()
    report.orphans = orphans(scene.store)
    report.stray = _wait_for_retention(plan, scene)
    report.deaths = [death for target in scene.targets for death in target.deaths]
    return report


def _fill_events(scene: Scene) -> None:
    """Fill the stream of events, as it is after some hours: it has a bound, which short soaks would not reach."""
    pipe = scene.store.client.pipeline(transaction=False)
    for number in range(MOST_EVENTS):
        event = {"id": f"filling-{number:06d}", "event": "filling", "data": '{"status":"accepted","attempt":0}' * 3}
        pipe.xadd(scene.store.keys.events, event, maxlen=20_000, approximate=True)  # type: ignore[arg-type]  # texts
    pipe.execute()


def _full_load(plan: SoakPlan, scene: Scene, traffic: Traffic) -> float:
    """Measure how many acts a second there are when clients do them as fast as they go; it warms everything up, too."""
    has_room = _room(scene)
    traffic.push(plan.measures / 3, has_room)
    done, began = traffic.done, time.monotonic()
    traffic.push(plan.measures * 2 / 3, has_room)
    full = (traffic.done - done) / (time.monotonic() - began)
    _say(f"full load: {full:.0f} acts a second")
    return full


def _offer(plan: SoakPlan, traffic: Traffic, samples: Sampler, rate: float, tell: Callable[[], object]) -> None:
    told = time.monotonic()

    def besides() -> None:
        nonlocal told
        if time.monotonic() - told >= TELLS_EVERY:
            told = time.monotonic()
            tell()

    _say(f"offering {rate:.0f} acts a second for {plan.minutes:g} min; samples in {samples.file}")
    with samples:
        traffic.offer(rate, plan.seconds, besides)


def _progress(report: Report) -> str:
    samples, books = report.samples, report.books
    assert samples is not None, "told only while there is load"
    memory = sum(samples.last(name) for name in list(samples.series) if name.endswith(": memory, MB"))
    keys = sum(samples.last(name) for name in list(samples.series) if name.startswith("keys: "))
    parts = [
        f"{(time.monotonic() - samples.began) / 60:4.1f} min: {books.count.accepted} jobs accepted",
        f"{samples.last('load: ended a second'):.0f} ended a second",
        f"machine {samples.last('load: machine busy, %'):.0f} % busy",
        f"{memory:.0f} MB",
        f"{keys:.0f} keys",
        f"{samples.last('rabbitmq: connections'):.0f} connections",
        f"{books.faults} things wrong",
    ]
    return ", ".join(parts)


def _settle(traffic: Traffic, books: Books) -> None:
    """Let all acts end, all jobs end and all mails come; complain of what doesn't."""
    if not traffic.stop(SETTLES_IN):
        books.complain("some clients are still at it")
    try:
        until(lambda: not books.open(), SETTLES_IN, "the end of all stories", pause=0.5)
    except NeverHappened:
        for job_id, story in books.open().items():
            books.complain(f"{job_id}: never complete: {story}")


def _wait_for_retention(plan: SoakPlan, scene: Scene) -> list[str]:
    """Wait until every job should be forgotten; name what is left."""
    _say(f"all ended; waiting {plan.retention} s for their retention")
    try:
        until(lambda: not stray_keys(scene.store), plan.retention + HELD_BACK, "an empty store", pause=1.0)
    except (NeverHappened, KeyboardInterrupt):
        return stray_keys(scene.store)
    return []


@contextmanager
def _clerk(scene: Scene, books: Books) -> Iterator[None]:
    """Bring mails and webhooks to the books, and close what is complete, for the time of a `with`."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(1.0):
            for message_id in taken(scene.sink):
                books.deliver(message_id)
            for delivery in scene.receiver.take():
                books.call(delivery)
            books.close()

    thread = threading.Thread(target=work, name="clerk")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def _schedules(scene: Scene) -> Iterator[None]:
    """Have some schedules tick every minute for the time of a `with`."""
    caller = SoakCaller(scene.ports)
    body = {"cron": "* * * * *", "operation": "sum", "arguments": {"value": 30, "other": 10}}
    for number in range(SCHEDULES):
        caller.call(number, "PUT", f"/schedules/standing-{number}", body, (201,))
    try:
        yield
    finally:
        for number in range(SCHEDULES):
            caller.call(number, "DELETE", f"/schedules/standing-{number}", expect=(204,))
        caller.close()


def _room(scene: Scene) -> Callable[[], bool]:
    """Tell whether the service has room for more, asked of the store several times a second at most."""
    asked, room = 0.0, True

    def has_room() -> bool:
        nonlocal asked, room
        if time.monotonic() - asked > 0.02:
            client, keys = scene.store.client, scene.store.keys
            queues = (keys.jobs_in("accepted"), keys.notices, keys.webhook_notices)
            room = max(client.zcard(queue) for queue in queues) < MOST_WAITING
            asked = time.monotonic()
        return room

    return has_room


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
