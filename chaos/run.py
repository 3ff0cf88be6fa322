"""A run from start to end: clients submit, the injector injects faults, the observer records; then all is compared.

Next: `ledger.py`.
"""

import sys
import time
from dataclasses import dataclass

from chaos.clients import Clients
from chaos.deployment import Deployment
from chaos.evidence import Evidence, Ledger
from chaos.fault_injector import FaultInjector
from chaos.faults import faults
from chaos.ledger import reconcile
from chaos.observer import Observer
from chaos.plan import ChaosPlan
from chaos.recovery import recoveries
from chaos.report import cases, table
from chaos.workload import planned_jobs
from errand.errors import StoreUnavailable
from errand.store.redis_access.availability import UNAVAILABLE

REPORT_EVERY = 10.0
STORE_BACK = 5.0
"""Seconds after a fault within which the store serves everybody again."""
FAULTY = ("Traceback", "_fault", "service_died")
"""Words in the logs that no external fault should cause."""


@dataclass(frozen=True)
class ChaosVerdict:
    """The result of a run."""

    ledger: Ledger
    text: str

    @property
    def holds(self) -> bool:
        """Return whether every check passed."""
        return self.ledger.holds


def run_chaos(plan: ChaosPlan, deployment: Deployment) -> ChaosVerdict:
    """Run the whole test on a deployment that has started."""
    planned = planned_jobs(plan)
    observer = Observer(deployment.store)
    clients = Clients(deployment.urls, deployment.receiver.url, planned, plan.clients, plan.patience)
    injector = FaultInjector(deployment, faults(plan), plan.seed, observer.hit)
    observer.start()
    clients.start()
    injector.start()
    try:
        _watch(clients, observer, injector)
        clients.join()
        injector.join()
        settled = _wait_for_the_end(plan, deployment, clients, observer)
    finally:
        clients.stop()
        injector.stop()
        clients.join()
        injector.join()
        observer.stop()
    mails = [(mail.at, str(mail.message["Message-ID"])) for mail in deployment.sink.messages]
    results, observations = clients.results, observer.observations
    taken = deployment.receiver.taken
    ledger = reconcile(
        Evidence(
            planned, results, observations, deployment.store, deployment.executions, mails, taken, injector.injected
        )
    )
    ids = {results.ids[job.mark]: job for job in planned if job.mark in results.ids}
    times = recoveries(observations, ids, injector.injected, STORE_BACK)
    slow = sorted(times, key=lambda each: -each.seconds)[:10]
    notes = [
        f"settled: {settled}",
        table(plan, ledger, results=results, observations=observations, times=times, injected=injector.injected),
        cases(ledger),
    ]
    notes += [f"slow: {e.job_id} {e.seconds:.1f} s after {e.hit.fault}: {e.hit.name} ({e.outage=})" for e in slow]
    notes += [f"skipped: {fault}" for fault in injector.skipped]
    notes += [crash for target in deployment.targets for crash in target.crashes]
    notes += deployment.log_lines(*FAULTY)[:40]
    return ChaosVerdict(ledger, "\n".join(note for note in notes if note))


def _watch(clients: Clients, observer: Observer, injector: FaultInjector) -> None:
    """Print the progress now and then."""
    began = reported = time.monotonic()
    while clients.busy:
        time.sleep(0.2)
        if time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            accepted, ended = len(clients.results.ids), observer.ended()
            sys.stdout.write(
                f"{reported - began:5.0f} s: {accepted} accepted, {ended} ended, {len(injector.injected)} faults\n"
            )


def _wait_for_the_end(plan: ChaosPlan, deployment: Deployment, clients: Clients, observer: Observer) -> str:
    """Wait until every job has ended and every notification is sent; return a sentence on how long that took."""
    began = time.monotonic()
    left = "?"
    while time.monotonic() - began < plan.patience:
        try:
            client, keys = deployment.store.client, deployment.store.keys
            open_jobs = len(clients.results.ids) - observer.ended()
            notices = client.zcard(keys.notifications) + client.zcard(keys.webhook_notifications)
            outbox = client.zcard(keys.outbox)
            left = f"{open_jobs} jobs, {notices} notifications, {outbox} doorbells"
            if open_jobs <= 0 and not notices and not outbox:
                return f"after {time.monotonic() - began:.1f} s"
        except (StoreUnavailable, *UNAVAILABLE):
            left = "the store is away"
        time.sleep(0.2)
    return f"NOT within {plan.patience:g} s: {left} left"
