"""The ledger: what clients were told, beside what is stored, what was seen, what was executed and what was mailed.

Stands after a run. Next: `report.py`, which prints it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.clients import Told
from chaos.saboteur import Done
from chaos.wishes import Wish
from chaos.witness import Seen
from errand.store import Store
from schemas.status import FINAL

Record = dict[str, str]
DEATHS = ("WorkerDied", "ChildDied")
"""Errors of jobs that the faults themselves ended, after all their attempts."""
WINDOW = 1.0
"""Seconds around the mail server's 250 in which a fault explains that the mail was not marked as sent."""
UNEXPLAINED = "UNEXPLAINED"
NOTE_OF = {"succeeded": "result", "failed": "failure", "cancelled": "cancelled"}


@dataclass
class Ledger:
    """What became of the jobs. Each list holds a line per case; most should be empty."""

    accepted: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """Jobs that are stored although no client was told."""
    died: list[str] = field(default_factory=list)
    """Jobs that failed because each of their attempts was hit."""
    starts: int = 0
    executions: int = 0
    again: int = 0
    """Jobs executed more than once because an attempt was hit (those that fail on purpose not counted)."""
    unexplained: list[str] = field(default_factory=list)
    """Jobs executed more often than they were started."""
    mails: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether the promise was kept."""
        broken = (self.lost, self.unfinished, self.twice, self.wrong, self.missing, self.unexplained)
        return not any(broken) and not any(UNEXPLAINED in case for case in self.doubled)


@dataclass(frozen=True)
class Evidence:
    """All there is to compare."""

    wishes: Sequence[Wish]
    told: Told
    seen: Seen
    store: Store
    executions: Path
    mails: Sequence[tuple[float, str]]
    """When and under which Message-ID each mail was taken."""
    done: Sequence[Done]


def settle(evidence: Evidence) -> Ledger:
    """Compare everything."""
    ledger = Ledger(accepted=len(evidence.told.ids))
    ledger.wrong += [f"{mark}: two ids under one key" for mark in evidence.told.contradictions]
    ledger.wrong += [f"{mark}: nobody would take it" for mark in evidence.told.gave_up]
    for wish in evidence.wishes:
        if job_id := evidence.told.ids.get(wish.mark):
            _job(ledger, wish, job_id, evidence)
    stored = set(evidence.store.client.zrange(evidence.store.keys.jobs, 0, -1))  # type: ignore[arg-type]  # not awaited
    ledger.untold = sorted(stored - set(evidence.told.ids.values()))
    _mails(ledger, evidence)
    return ledger


def _job(ledger: Ledger, wish: Wish, job_id: str, evidence: Evidence) -> None:
    record = evidence.store.get(job_id)
    name = f"{job_id} ({wish.body['operation']} {wish.mark})"
    if record is None:
        ledger.lost.append(name)
        return
    ledger.statuses[record["status"]] += 1
    finals = evidence.seen.finals(job_id)
    if record["status"] not in FINAL:
        ledger.unfinished.append(f"{name}: {record['status']}")
    elif len(finals) > 1:
        ledger.twice.append(f"{name}: {[(step.at, step.status) for step in finals]}")
    elif not finals or finals[0].status != record["status"]:
        ledger.wrong.append(f"{name}: {record['status']}, but seen as {[step.status for step in finals]}")
    else:
        _ending(ledger, wish, name, record)
    _runs(ledger, wish, name, job_id, evidence)


def _ending(ledger: Ledger, wish: Wish, name: str, record: Record) -> None:
    status = record["status"]
    if status == "succeeded":
        expected = "rested" if wish.cancel_after is not None else wish.answer
        if json.loads(record["result"]) != expected:
            ledger.wrong.append(f"{name}: {record['result']} instead of {expected}")
    else:
        error = json.loads(record["error"])
        if status == "failed" and error["type"] in DEATHS and record["attempt"] == record["max_attempts"]:
            ledger.died.append(f"{name}: {error['message']}")
        elif (status, error["type"]) != (wish.ends, wish.answer):
            ledger.wrong.append(f"{name}: {status} with {error}")


def _runs(ledger: Ledger, wish: Wish, name: str, job_id: str, evidence: Evidence) -> None:
    file = evidence.executions / wish.mark
    times = file.read_text("utf-8").splitlines() if file.exists() else []
    starts = [step for step in evidence.seen.steps.get(job_id, ()) if step.status == "running"]
    ledger.starts += len(starts)
    ledger.executions += len(times)
    if len(times) > 1 and wish.body["operation"] != "stumble":
        ledger.again += 1
    if len(times) > len(starts):
        ledger.unexplained.append(f"{name}: executed at {times}, started at {[step.at for step in starts]}")


def _mails(ledger: Ledger, evidence: Evidence) -> None:
    taken: dict[str, list[float]] = {}
    for at, message_id in evidence.mails:
        taken.setdefault(message_id, []).append(at)
    for wish in evidence.wishes:
        job_id = evidence.told.ids.get(wish.mark)
        if not wish.mailed or job_id is None:
            continue
        finals = evidence.seen.finals(job_id)
        for kind in ("receipt", *(NOTE_OF[step.status] for step in finals[:1])):
            ledger.mails += 1
            times = taken.get(f"<{job_id}.{kind}@localhost>", [])
            if not times:
                ledger.missing.append(f"{job_id} {kind}")
            elif len(times) > 1:
                ledger.doubled.append(f"{job_id} {kind}: {_why(times, evidence.done)}")


def _why(times: Sequence[float], done: Iterable[Done]) -> str:
    """Name what was hit between the mail server's 250 and the mark, or say that nothing was."""
    first = min(times)
    near = [
        each
        for each in done
        if each.fault.kind in {"mail", "smtp", "valkey"} and each.at - WINDOW <= first <= each.until + WINDOW
    ]
    gaps = ", ".join(f"{at - first:.1f} s" for at in sorted(times)[1:])
    reason = "; ".join(f"{each.fault}, {each.name}, {each.at - first:+.2f} s from its 250" for each in near)
    return f"again after {gaps}; {reason or UNEXPLAINED}"
