"""The story of a run: clients submit, the saboteur hits, the witness watches; then all is settled and compared.

Stands at the middle of this folder. Next: `ledger.py`.
"""

import sys
import time
from dataclasses import dataclass

from chaos.clients import Clients
from chaos.evidence import Evidence, Ledger
from chaos.faults import faults
from chaos.ledger import settle
from chaos.plan import ChaosPlan
from chaos.recovery import recoveries
from chaos.report import cases, table
from chaos.saboteur import Saboteur
from chaos.scene import Scene
from chaos.wishes import wishes
from chaos.witness import Witness
from errand.errors import StoreUnavailable
from errand.store.availability import UNAVAILABLE

TELLS_EVERY = 10.0
STORE_BACK = 5.0
"""Seconds after which a store that was killed or held serves everybody again."""
FAULTY = ("Traceback", "_fault", "service_died")
"""Words in the logs of Errand that no fault from outside should bring about."""


@dataclass(frozen=True)
class ChaosVerdict:
    """What came of a run."""

    ledger: Ledger
    text: str

    @property
    def holds(self) -> bool:
        """Tell whether the promise was kept."""
        return self.ledger.holds


def play(plan: ChaosPlan, scene: Scene) -> ChaosVerdict:
    """Play a whole run on a scene that has begun."""
    asked = wishes(plan)
    witness = Witness(scene.store)
    clients = Clients(scene.urls, scene.receiver.url, asked, plan.clients, plan.patience)
    saboteur = Saboteur(scene, faults(plan), plan.seed, witness.hit)
    witness.start()
    clients.start()
    saboteur.start()
    try:
        _watch(clients, witness, saboteur)
        clients.join()
        saboteur.join()
        settled = _wait_for_the_end(plan, scene, clients, witness)
    finally:
        clients.stop()
        saboteur.stop()
        clients.join()
        saboteur.join()
        witness.stop()
    mails = [(mail.at, str(mail.message["Message-ID"])) for mail in scene.sink.messages]
    told, seen = clients.told, witness.seen
    taken = scene.receiver.taken
    ledger = settle(Evidence(asked, told, seen, scene.store, scene.executions, mails, taken, saboteur.done))
    ids = {told.ids[wish.mark]: wish for wish in asked if wish.mark in told.ids}
    times = recoveries(seen, ids, saboteur.done, STORE_BACK)
    slow = sorted(times, key=lambda each: -each.seconds)[:10]
    notes = [
        f"settled: {settled}",
        table(plan, ledger, told=told, seen=seen, times=times, done=saboteur.done),
        cases(ledger),
    ]
    notes += [f"slow: {e.job_id} {e.seconds:.1f} s after {e.hit.fault}: {e.hit.name} ({e.outage=})" for e in slow]
    notes += [f"left out: {fault}" for fault in saboteur.left_out]
    notes += [death for target in scene.targets for death in target.deaths]
    notes += scene.lines(*FAULTY)[:40]
    return ChaosVerdict(ledger, "\n".join(note for note in notes if note))


def _watch(clients: Clients, witness: Witness, saboteur: Saboteur) -> None:
    """Tell now and then how far it is."""
    began = told = time.monotonic()
    while clients.busy:
        time.sleep(0.2)
        if time.monotonic() - told > TELLS_EVERY:
            told = time.monotonic()
            accepted, ended = len(clients.told.ids), witness.ended()
            sys.stdout.write(
                f"{told - began:5.0f} s: {accepted} accepted, {ended} ended, {len(saboteur.done)} faults\n"
            )


def _wait_for_the_end(plan: ChaosPlan, scene: Scene, clients: Clients, witness: Witness) -> str:
    """Wait until every job has ended and everybody was told; say how long that took."""
    began = time.monotonic()
    left = "?"
    while time.monotonic() - began < plan.patience:
        try:
            client, keys = scene.store.client, scene.store.keys
            open_jobs = len(clients.told.ids) - witness.ended()
            notices = client.zcard(keys.notices) + client.zcard(keys.webhook_notices)
            outbox = client.zcard(keys.outbox)
            left = f"{open_jobs} jobs, {notices} notifications, {outbox} doorbells"
            if open_jobs <= 0 and not notices and not outbox:
                return f"after {time.monotonic() - began:.1f} s"
        except (StoreUnavailable, *UNAVAILABLE):
            left = "the store is away"
        time.sleep(0.2)
    return f"NOT within {plan.patience:g} s: {left} left"
