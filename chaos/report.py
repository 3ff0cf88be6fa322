"""Prints the result of a run: one table, and the cases that should not exist."""

from collections import Counter
from collections.abc import Sequence

from chaos.clients import ClientResults
from chaos.evidence import Ledger, unexplained
from chaos.fault_injector import InjectedFault
from chaos.observer import Observations
from chaos.plan import ChaosPlan
from chaos.recovery import Recovery, percentile, waits

MOST = 100
"""Cases of one sort that are printed at most."""
SORTS = (
    *("lost", "unfinished", "twice", "wrong", "unexplained", "missing", "doubled"),
    *("webhooks_missing", "webhooks_doubled", "died", "unreported"),
)
"""The lists of cases in a ledger, in the order in which they are printed."""


def table(
    plan: ChaosPlan,
    ledger: Ledger,
    *,
    results: ClientResults,
    observations: Observations,
    times: Sequence[Recovery],
    injected: Sequence[InjectedFault],
) -> str:
    """Write the table in Markdown."""
    ended = ", ".join(f"{status} {count}" for status, count in sorted(ledger.statuses.items()))
    refusals = ", ".join(f"{what}: {count}" for what, count in sorted(results.refusals.items())) or "none"
    rows = [
        ("seed", plan.seed),
        ("jobs accepted", f"{ledger.accepted} of {plan.jobs}"),
        ("ended", ended),
        ("**lost**", len(ledger.lost)),
        ("**not ended**", len(ledger.unfinished)),
        ("**finished twice**", len(ledger.twice)),
        ("**wrong**", len(ledger.wrong)),
        ("stored, but no client received the id", len(ledger.unreported)),
        ("failed because faults hit every attempt", len(ledger.died)),
        ("starts", ledger.starts),
        ("executions", ledger.executions),
        ("executed again after a fault", ledger.repeated),
        ("executed on an offer whose claim failed", ledger.offered),
        ("executed more often than started", len(ledger.unexplained)),
        ("mails expected", ledger.mails),
        ("**mails missing**", len(ledger.missing)),
        ("mails for a job with an address", _each(ledger.mails_per_job)),
        ("mails doubled", f"{len(ledger.doubled)}, unexplained {unexplained(ledger.doubled)}"),
        ("webhooks expected", ledger.webhooks),
        ("**webhooks missing**", len(ledger.webhooks_missing)),
        ("webhooks doubled", f"{len(ledger.webhooks_doubled)}, unexplained {unexplained(ledger.webhooks_doubled)}"),
        ("recovery, all", _times([each.seconds for each in times])),
        ("recovery, store up", _times([each.seconds for each in times if not each.outage])),
        ("wait in the queue", _times(waits(observations))),
        ("clients' wait for an id", _times(results.answers)),
        ("5xx received by clients", sum(count for what, count in results.refusals.items() if what.startswith("5"))),
        ("unexpected answers to clients", refusals),
        ("faults", f"{len(injected)}: {_kinds(injected)}"),
    ]
    if observations.gaps:
        rows.append(("gaps in the stream of events", observations.gaps))
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def cases(ledger: Ledger) -> str:
    """List the cases, with an upper limit for each sort."""
    lines = []
    for sort in SORTS:
        found = getattr(ledger, sort)
        lines += [f"{sort}: {case}" for case in found[:MOST]]
        if len(found) > MOST:
            lines.append(f"{sort}: … and {len(found) - MOST} more")
    return "\n".join(lines)


def _times(values: Sequence[float]) -> str:
    if not values:
        return "none"
    middle, late = percentile(values, 0.5), percentile(values, 0.99)
    return f"median {middle:.2f} s, p99 {late:.2f} s, max {max(values):.2f} s ({len(values)})"


def _each(counted: Counter[int]) -> str:
    return ", ".join(f"{count} for {jobs} jobs" for count, jobs in sorted(counted.items())) or "none"


def _kinds(injected: Sequence[InjectedFault]) -> str:
    counted = Counter(f"{each.fault.kind} {each.fault.what}" for each in injected)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items()))
