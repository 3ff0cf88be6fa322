"""The whole life of jobs, at random: hypothesis has clients, workers and the rescuer do things in any order.

Whatever they do to the real scripts, every move must be a legal one, every job must be where its status says and
nowhere else, an attempt is committed once, and nothing that was accepted is lost.
"""

import json
from collections import defaultdict
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from errand.moves import LEGAL
from errand.settings import Settings
from errand.store import Lease, Outcome, Store
from schemas.notifications import NoticeState
from schemas.status import FINAL, Status
from tests.support.jobs import expire, hasten, new_job, rescue

HOST = "hooks.example"
QUEUES = ("compute", "compute.cpu")
PRIORITIES = ("high", "normal", "low")
ERROR = '{"type":"OSError","message":"no"}'


class Life(RuleBasedStateMachine):
    """Jobs, those who hold their leases (however stale), and what has been told of them."""

    jobs = Bundle("jobs")
    leases = Bundle("leases")
    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.store.keys = self.store._keys = type(self.store.keys)(f"life-{uuid4().hex[:12]}:")
        self.ids: set[str] = set()
        self.removed: set[str] = set()
        self.committed: dict[tuple[str, str], int] = defaultdict(int)
        self.read_upto = "0-0"
        self.statuses: dict[str, Status] = {}

    def teardown(self) -> None:
        for key in self.store.client.scan_iter(self.store.keys.prefix + "*", count=1000):
            self.store.client.delete(key)

    # ---- clients ----

    @rule(
        target=jobs,
        queue=some.sampled_from(QUEUES),
        priority=some.sampled_from(PRIORITIES),
        delay=some.sampled_from((0, 60_000)),
        deadline=some.sampled_from((None, None, 1, 60_000)),
        attempts=some.integers(1, 3),
        key=some.sampled_from((None, None, "a", "b")),
        email=some.sampled_from((None, "name@email.com")),
        webhook=some.sampled_from((None, f"https://{HOST}/")),
    )
    def accept(self, *, queue, priority, delay, deadline, attempts, key, email, webhook):
        fields = {"queue": queue, "priority": priority, "delay_ms": delay, "max_attempts": attempts, "tags": ("t",)}
        fields |= {"key": key, "fingerprint": "same", "email": email, "webhook_url": webhook}
        job = new_job(**fields, **({"deadline_ms": 1} if deadline == 1 else {"deadline_in_ms": deadline}))
        [verdict] = self.store.accept([job])
        assert verdict.kind == ("new" if verdict.id == job.id else "replayed")
        assert verdict.id == job.id or (key and verdict.id in self.ids - self.removed)
        self.ids.add(verdict.id)
        return verdict.id

    @rule(job=jobs)
    def cancel(self, job):
        before = self.status_of(job)
        control = self.store.cancel(job)
        expected = "unknown" if before is None else "refused" if before in FINAL else "done"
        assert control.reply == ("requested" if before is Status.RUNNING else expected)

    @rule(job=jobs)
    def retry(self, job):
        before = self.status_of(job)
        expected = "unknown" if before is None else "refused"
        assert self.store.retry(job).reply == ("done" if before in {Status.FAILED, Status.CANCELLED} else expected)

    @rule(status=some.sampled_from((Status.FAILED, Status.CANCELLED)))
    def retry_all(self, status):
        there = [job for job in self.ids if self.status_of(job) is status]
        page = self.store.page_of_oldest(status, tag="t", upto=self.store.newest_place(), limit=100)
        ids = [record.id for record in page.records]
        assert sorted(ids) == sorted(there)
        assert {control.reply for control in self.store.retry_these(ids)} <= {"done"}

    @rule(target=jobs, job=jobs)
    def replay(self, job):
        if self.status_of(job) not in FINAL:
            return job
        origin = self.store.client.hgetall(self.store.keys.job(job))
        again = new_job(queue=origin["queue"], tags=("t", f"origin:{job}"), origin=job)
        self.store.accept([again])
        after = self.store.client.hgetall(self.store.keys.job(job))
        linked = {"replays": after.get("replays"), "handled": origin.get("retries", "0")}
        assert after == {**origin, **linked}, "the origin stays as it was, but for the link"
        assert after["replays"].split()[-1] == again.id
        self.ids.add(again.id)
        return again.id

    @rule(status=some.sampled_from((Status.FAILED, Status.CANCELLED)))
    def replay_all_that_nobody_has_replayed(self, status):
        there = [job for job in self.ids if self.status_of(job) is status and not self.is_handled(job)]
        upto = self.store.newest_place()
        page = self.store.page_of_oldest(status, tag="t", upto=upto, limit=100, fields=("queue",), unhandled=True)
        assert sorted(record.id for record in page.records) == sorted(there)
        origins = [(record.id, record.queue) for record in page.records]
        twice = [new_job(queue=queue, tags=("t",), origin=job) for job, queue in [*origins, *origins]]
        verdicts = self.store.accept_replays(twice) if twice else []
        assert [verdict.kind for verdict in verdicts] == ["new"] * len(there) + ["handled"] * len(there)
        assert all(self.is_handled(job) for job in there)
        self.ids |= {replay.id for replay in twice[: len(there)]}

    @rule(job=jobs)
    def remove(self, job):
        before = self.status_of(job)
        control = self.store.delete(job)
        assert control.reply == ("unknown" if before is None else "done" if before in FINAL else "refused")
        if control.reply == "done":
            self.removed.add(job)

    # ---- workers ----

    @rule(target=leases, queue=some.sampled_from(QUEUES), worker=some.sampled_from("abc"))
    def claim(self, queue, worker):
        claimed = self.store.claim(queue, 1, worker, 30)
        return claimed[0] if claimed else None

    @rule(lease=leases)
    def renew(self, lease):
        if lease:
            renewal = self.store.renew([lease], 30, {lease.id: '{"progress":0.5}'}, [(lease.id, "a line")])
            assert (lease.id in renewal.lost) == (not self.holds(lease))

    @rule(
        lease=leases,
        status=some.sampled_from((Status.SUCCEEDED, Status.FAILED, Status.RETRYING, Status.ACCEPTED, Status.CANCELLED)),
    )
    def commit(self, lease, status):
        if not lease:
            return
        held, record = self.holds(lease), self.store.client.hgetall(self.store.keys.job(lease.id))
        repeated = not held and (record.get("fence"), record.get("status")) == (lease.fence, status)
        kept = record.get("result" if status is Status.SUCCEEDED else "error")
        repeated = repeated and (status is Status.ACCEPTED or kept == ERROR)
        [commit] = self.store.commit([Outcome(lease, status, ERROR, 60_000)])
        assert commit.stored == (held or repeated), "a stale fence is refused, a good one is not"
        self.committed[lease.id, lease.fence] += held
        assert self.committed[lease.id, lease.fence] <= 1, "an attempt is committed once"

    @rule(job=jobs, worker=some.sampled_from("abc"), status=some.sampled_from((Status.SUCCEEDED, Status.RETRYING)))
    def commit_what_was_offered(self, job, worker, status):
        before = self.store.client.hgetall(self.store.keys.job(job))
        late = float(before.get("deadline", "inf")) < self.store.now()
        offer = Lease(job, "", 1, "sum", "{}")
        [commit] = self.store.commit([Outcome(offer, status, ERROR, 60_000)], worker, 30)
        record = self.store.client.hgetall(self.store.keys.job(job))
        if before.get("status") != Status.ACCEPTED:
            assert (commit.stored, record) == (False, before), "who was faster has it"
        elif not late:
            assert commit.stored
            assert int(record["fence"]) == int(before["fence"]) + 1
            self.committed[job, record["fence"]] += 1

    # ---- time ----

    @rule(lease=leases)
    def worker_dies(self, lease):
        if lease and self.holds(lease):
            expire(self.store, lease)

    @rule(job=jobs)
    def delay_passes(self, job):
        hasten(self.store, job)

    @rule(job=jobs)
    def retention_passes(self, job):
        self.store.client.zadd(self.store.keys.retention, {job: 1}, xx=True)

    @rule()
    def rescuer_comes(self):
        rescue(self.store)

    @rule()
    def mail_is_sent(self):
        for notice in self.store.claim_mails(10, 60):
            self.store.settle(notice, NoticeState.SENT)

    @rule()
    def webhooks_are_sent(self):
        for notice in self.store.claim_webhooks(10, 60, 100, 5, {}):
            self.store.settle(notice, NoticeState.SENT)

    # ---- what always holds ----

    @invariant()
    def every_move_was_legal(self):
        upto = self.store.last_event()
        for event in self.store.events_between(self.read_upto, upto, 1000):
            if event.kind == "status":
                after = Status(json.loads(event.data)["status"])
                before = self.statuses.get(event.id)
                assert after in LEGAL[before], f"{before} > {after}"
                self.statuses[event.id] = after
        self.read_upto = upto

    @invariant()
    def every_job_is_where_its_status_says(self):
        client, keys = self.store.client, self.store.keys
        waiting = {(q, p): set(client.zrange(keys.waiting(q, p), 0, -1)) for q in QUEUES for p in PRIORITIES}
        leased, due = set(client.zrange(keys.leases, 0, -1)), set(client.zrange(keys.due, 0, -1))
        by_status = {status: set(client.zrange(keys.jobs_in(status), 0, -1)) for status in Status}
        listed = set(client.zrange(keys.jobs, 0, -1))
        records = {job: client.hgetall(keys.job(job)) for job in self.ids}
        self.whoever_is_to_be_told_is_told(records)
        for job, record in records.items():
            status = self.status_of(job)
            assert {each for each in Status if job in by_status[each]} == ({status} if status else set())
            assert (job in listed) == (status is not None)
            place = (record.get("queue"), record.get("priority", "normal"))
            assert {key for key, ids in waiting.items() if job in ids} == (
                {place} if status is Status.ACCEPTED else set()
            )
            assert (job in leased) == (status is Status.RUNNING)
            assert (job in due) == (status in {Status.SCHEDULED, Status.RETRYING})
            assert ("result" in record) == (record.get("status") == "succeeded")

    @invariant()
    def nothing_accepted_is_lost(self):
        for job in self.ids:
            status = self.status_of(job)
            if status is None:
                # removed by its client, or past its retention: never before it had ended
                assert self.statuses[job] in FINAL
            elif status is Status.ACCEPTED:
                rung = self.store.client.zscore(self.store.keys.outbox, job)
                assert rung is not None, "a waiting job whose doorbell nobody confirmed stays in the outbox"

    def whoever_is_to_be_told_is_told(self, records):
        client, keys = self.store.client, self.store.keys
        due = {f"note:mail:{member}" for member in client.zrange(keys.notifications, 0, -1)}
        hooks = client.zrange(keys.webhook_notifications, 0, -1)
        due |= {f"note:webhook:{member.removesuffix('/' + HOST)}" for member in hooks}
        pending = set()
        for job, record in records.items():
            notes = {field: json.loads(text) for field, text in record.items() if field.startswith("note:")}
            pending |= {f"{field}/{job}" for field, note in notes.items() if note["state"] == "pending"}
            hooked = [note for note in notes.values() if note["channel"] == "webhook"]
            ends = int(record.get("retries", 0)) + (record.get("status") in FINAL)
            assert len(hooked) == (ends if "webhook_url" in record else 0), "each end is told of by itself"
        assert pending == due

    def status_of(self, job):
        record = self.store.get(job)
        return record.status if record else None

    def is_handled(self, job: str) -> bool:
        handled, retries = self.store.client.hmget(self.store.keys.job(job), "handled", "retries")
        return handled is not None and handled == (retries or "0")

    def holds(self, lease: Lease) -> bool:
        record = self.store.get(lease.id)
        return record is not None and record.status == "running" and record.fence == int(lease.fence)


def test_whatever_happens_to_jobs_they_only_move_as_the_table_says(redis_url):
    store = Store.connect(Settings(_env_file=None, redis_url=redis_url, key_prefix="life:"))
    machine = type("LifeHere", (Life,), {"store": store})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    store.client.close()
