"""Compares the mails and webhooks that arrived with those expected, and explains duplicates by faults."""

from collections.abc import Iterable, Sequence

from chaos.evidence import UNEXPLAINED, Evidence, Ledger
from chaos.fault_injector import InjectedFault
from chaos.receiver import ReceivedWebhook

WINDOW = 1.0
"""Seconds around the 250 of the mail server, or the 200 of the receiver, that explain a duplicate."""
MAILING, CALLING = ("mail", "smtp", "valkey"), ("webhooks", "valkey")
"""Kinds of processes whose faults explain a duplicate mail, or a duplicate webhook. A webhook counts as received only
if the receiver answered 200; a mail counts as soon as it arrived, whether the mail server could answer or not."""
NOTE_OF = {"succeeded": "result", "failed": "failure", "cancelled": "cancelled"}


def mails(ledger: Ledger, evidence: Evidence) -> None:
    """Compare the mails."""
    taken: dict[str, list[float]] = {}
    for at, message_id in evidence.mails:
        taken.setdefault(message_id, []).append(at)
    for job in evidence.planned_jobs:
        job_id = evidence.results.ids.get(job.mark)
        if not job.has_mail or job_id is None:
            continue
        finals = evidence.observations.finals(job_id)
        got = 0
        for kind in ("receipt", *(NOTE_OF[step.status] for step in finals[:1])):
            ledger.mails += 1
            times = taken.get(f"<{job_id}.{kind}@localhost>", [])
            got += len(times)
            if not times:
                ledger.missing.append(f"{job_id} {kind}")
            elif len(times) > 1:
                ledger.doubled.append(f"{job_id} {kind}: {_explanation(times, evidence.injected, MAILING)}")
        ledger.mails_per_job[got] += 1


def webhooks(ledger: Ledger, evidence: Evidence) -> None:
    """Compare the webhooks."""
    taken: dict[str, list[ReceivedWebhook]] = {}
    for delivery in evidence.webhooks:
        taken.setdefault(delivery.event_id, []).append(delivery)
    for job in evidence.planned_jobs:
        job_id = evidence.results.ids.get(job.mark)
        finals = evidence.observations.finals(job_id) if job_id else []
        if not job.has_webhook or not finals:
            continue
        ledger.webhooks += 1
        event_id, kind = f"{job_id}-{NOTE_OF[finals[0].status]}", f"errand.job.{finals[0].status}"
        deliveries = taken.pop(event_id, [])
        ledger.wrong += [f"{event_id}: {each.fault}" for each in deliveries if each.fault]
        ledger.wrong += [f"{event_id}: it says {each.kind}" for each in deliveries if each.kind != kind]
        if not deliveries:
            ledger.webhooks_missing.append(event_id)
        elif len(deliveries) > 1:
            times = [each.at for each in deliveries]
            ledger.webhooks_doubled.append(f"{event_id}: {_explanation(times, evidence.injected, CALLING)}")
    unreported = set(ledger.unreported)
    unasked = [event_id for event_id in taken if event_id.rpartition("-")[0] not in unreported]
    ledger.wrong += [f"{event_id}: an unexpected webhook" for event_id in unasked]


def _explanation(times: Sequence[float], injected: Iterable[InjectedFault], kinds: Sequence[str]) -> str:
    """Name the faults between the first delivery and its record in the store, or say that there was none."""
    first = min(times)
    near = [each for each in injected if each.fault.kind in kinds and each.at - WINDOW <= first <= each.until + WINDOW]
    gaps = ", ".join(f"{at - first:.1f} s" for at in sorted(times)[1:])
    reason = "; ".join(f"{each.fault}, {each.name}, {each.at - first:+.2f} s from its delivery" for each in near)
    return f"again after {gaps}; {reason or UNEXPLAINED}"
