"""How many mails a second does one mail worker deliver? `python -m bench.mails` (two minutes).

Finished jobs wait in an embedded Valkey, each with mails to its own address; then one worker with the mail service
starts, and a mail server in another process counts the mails. The floor is four plain connections of smtplib that send
prepared mails to the same server. Both are measured in turns, in rounds.
"""

import asyncio
import multiprocessing
import smtplib
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope

from bench.streams import Figures
from errand.process.waiting import until
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import DueJobNotification, NewJob, Outcome, Store
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from schemas.status import Status
from tests.support.letters import compose
from tests.support.ports import free_port
from tests.support.stack import Worker
from tests.support.valkey import running as running_store
from workers.mail.sending.server_health import MAX_SENDERS
from workers.mail.writing.mime import write_mime

MAILS, ROUNDS = 3000, 3
RESULTS = {
    "receipts and results of a sum": "40",
    "receipts and tables with a file": str([{"n": n, "square": n * n} for n in range(200)]).replace("'", '"'),
}


class Counter:
    """The mails received: their number, the number of different ones, and the times of the first and the last (s)."""

    def __init__(self) -> None:
        """Share it with the server's process."""
        self.mails, self.different = multiprocessing.Value("i"), multiprocessing.Value("i")
        self.first, self.last = multiprocessing.Value("d"), multiprocessing.Value("d")
        self.cleared = multiprocessing.Value("i")

    def clear(self) -> None:
        """Reset the counters."""
        for value in (self.mails, self.different, self.first, self.last):
            value.value = 0
        self.cleared.value += 1

    @property
    def rate(self) -> float:
        """Return the mails received a second."""
        return (self.mails.value - 1) / (self.last.value - self.first.value)


class _Taker:
    def __init__(self, counter: Counter) -> None:
        self.counter, self.ids, self.clears = counter, set(), 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        counter, now = self.counter, time.monotonic()
        if self.clears != counter.cleared.value:
            self.ids, self.clears = set(), counter.cleared.value
        head = envelope.original_content.partition(b"\r\n\r\n")[0]
        self.ids.add(head.partition(b"\r\nMessage-ID: ")[2].partition(b"\r\n")[0])
        counter.first.value = counter.first.value or now
        counter.last.value = now
        counter.mails.value += 1
        counter.different.value = len(self.ids)
        return "250 Taken"


def serve(port: int, counter: Counter) -> None:
    """Run the mail server."""

    async def run() -> None:
        taker = _Taker(counter)
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(taker, hostname="sink"), "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def mail_server() -> Iterator[tuple[int, Counter]]:
    """Run a mail server in another process; return its port and its counters."""
    port, counter = free_port(), Counter()
    process = multiprocessing.Process(target=serve, args=(port, counter), daemon=True)
    process.start()
    try:
        until(lambda: _answers(port), 10, "the mail server")
        yield port, counter
    finally:
        process.terminate()
        process.join()


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=1):
            return True
    except OSError:
        return False


def fill(store: Store, mails: int, result: str) -> None:
    """Queue this many mails: receipts and results of finished jobs."""
    jobs = [
        NewJob(str(uuid4()), "squares", '{"value":30,"other":10}', (f"person{number}@email.com",))
        for number in range(mails // 2)
    ]
    for start in range(0, len(jobs), 500):
        some = jobs[start : start + 500]
        store.accept(some)
        leases = store.claim_these([job.id for job in some], "bench", 600)
        store.commit([Outcome(lease, Status.SUCCEEDED, result) for lease in leases])


def floor(settings: Settings, mails: int, result: str, port: int) -> None:
    """Send this many prepared mails over this many connections."""
    links = SignedLinks(b"0" * 32, "http://127.0.0.1:5000")

    def ready(number: int) -> bytes:
        job_id, arguments = str(uuid4()), '{"value":30,"other":10}'
        record = JobRecord(job_id, "squares", Status.SUCCEEDED, 0, 3, arguments=arguments, result=result)
        kind = NoticeKind.RESULT if number % 2 else NoticeKind.RECEIPT
        to = f"person{number}@email.com"
        notice = DueJobNotification(kind=kind, id=job_id, name=kind.value, to=to, record=record)
        return write_mime(compose(notice, settings, links)).content

    letters = [ready(number) for number in range(mails)]

    def send(some: list[bytes]) -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            for letter in some:
                smtp.sendmail("errand@localhost", ["name@email.com"], letter)

    with ThreadPoolExecutor(MAX_SENDERS) as pool:
        list(pool.map(send, [letters[start::MAX_SENDERS] for start in range(MAX_SENDERS)]))


def delivered(folder: Path, store: Store, counter: Counter, env: dict[str, str]) -> float:
    """Let a worker send all queued mails; return its CPU time for each (ms)."""
    worker = Worker(["mail"], folder / "mail.log", env)
    try:
        worker.start()
        until(lambda: store.client.zcard(store.keys.notifications) == 0, 300, "all sent", pause=0.02)
        ticks = Path(f"/proc/{worker.process.pid}/stat").read_text("utf-8").rpartition(") ")[2].split()[11:13]
        assert (counter.mails.value, counter.different.value) == (MAILS, MAILS), "each once"
        return sum(map(int, ticks)) * 10 / MAILS
    finally:
        worker.stop()


def measured(folder: Path, env: dict[str, str], port: int, counter: Counter) -> Figures:
    """Measure the worker and the floor in turn."""
    figures: Figures = defaultdict(list)
    settings = Settings(_env_file=None, **{name.lower(): value for name, value in env.items()})
    store = Store.connect(settings)
    for _ in range(ROUNDS):
        for what, result in RESULTS.items():
            counter.clear()
            fill(store, MAILS, result)
            figures[f"CPU ms a mail, its start included: {what}"].append(delivered(folder, store, counter, env))
            figures[f"mails/s of one worker: {what}"].append(counter.rate)
            counter.clear()
            floor(settings, MAILS, result, port)
            figures[f"mails/s of the floor: {what}"].append(counter.rate)
    return figures


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name, mail_server() as (port, counter):
        folder = Path(name)
        (folder / "valkey").mkdir()
        with running_store(folder / "valkey") as store:
            env = {"REDIS_URL": store.url(), "AMQP_URI": store.fresh_url(), "SMTP_URL": f"smtp://127.0.0.1:{port}"}
            for what, values in measured(folder, env, port, counter).items():
                print(f"{what}: {statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})")


if __name__ == "__main__":
    main()
