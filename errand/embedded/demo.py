"""`make demo`: starts all of Errand, runs one job from POST to mail, prints each step, and stops.

It runs `run.py` on free ports and in a temporary folder, so that it disturbs no other Errand.
"""

import json
import mailbox
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

import errand
from errand.process.parent_death import signal_on_parent_death
from errand.process.ports import LOCALHOST, any_free_port
from errand.process.waiting import NeverHappened, until
from errand.settings import Settings
from schemas.status import FINAL, Status

JOB = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
EXPECTED = 40
SUBJECTS = {"receipt": "API Notification", "result": "Your operation is complete!"}
STARTS_IN, TAKES = 60.0, 30.0
"""Seconds after which the demo gives up: on the start, and on each step of the job."""
BAR = 32


def main() -> int:
    """Show one job from POST to mail; return 0 only if every step happened."""
    with tempfile.TemporaryDirectory(prefix="errand-demo-") as folder:
        try:
            with everything(Path(folder)) as here:
                show(here, Path(folder) / "data" / "mail")
        except (NeverHappened, AssertionError, OSError) as fault:
            print(f"\ndemo: failed: {fault}\n\nThe last lines of the servers:\n{tail(Path(folder) / 'log')}")
            return 1
        except KeyboardInterrupt:
            return 130
    print("\ndemo: every step succeeded; everything is stopped again. To keep Errand running: make run")
    return 0


@contextmanager
def everything(folder: Path) -> Iterator[str]:
    """Run all of Errand on free ports, with its data in `folder`; yield the URL of the API."""
    port = any_free_port()
    # Leave out the user's settings: a demo with them could mail real people.
    names = {name.upper() for name in Settings.model_fields}
    env = {name: value for name, value in os.environ.items() if name.upper() not in names}
    env |= {"PORT": str(port), "PYTHONPATH": str(Path(errand.__file__).parents[1])}
    command = [sys.executable, "-m", "errand.embedded.run", "--data", str(folder / "data")]
    print("demo: starting Valkey, a mail catcher, the workers and the API ...", flush=True)
    with (folder / "log").open("wb") as log:
        # in a folder without a .env
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=signal_on_parent_death(signal.SIGTERM),  # noqa: PLW1509 -- only a system call, loaded before
        )
    try:
        until(lambda: process.poll() is not None or "errand: ready" in tail(folder / "log"), STARTS_IN, "the start")
        assert process.poll() is None, "it did not start"
        yield f"http://{LOCALHOST}:{port}"
    finally:
        process.terminate()
        process.wait()


def show(here: str, maildir: Path) -> None:
    """Post the job and print each step; raise if a step does not happen."""
    body = json.dumps(JOB)
    print(f"\n  POST {here}/compute\n  {body}\n")
    bar = Bar(steps=4)
    status, accepted = fetch(f"{here}/compute", body)
    assert status == 202, f"the API answered {status}: {accepted}"
    bar.step("accepted")
    job = until(lambda: finished(here, accepted["id"]), TAKES, "the end of the job", pause=0.02)
    bar.step(job["status"])
    mails = []
    for kind, subject in SUBJECTS.items():
        mails.append(until(partial(arrived, maildir, subject), TAKES, f"the {kind} mail", pause=0.02))
        bar.step(f"{kind} mailed")
    print(f"\n  GET {here}/jobs/{job['id']}\n  status {job['status']}, result {job['result']}")
    for mail in mails:
        print(f"\n  mail to {mail['to']}: {mail['subject']}\n{indented(mail)}")
    assert job["result"] == EXPECTED, f"the result is {job['result']}, not {EXPECTED}"


class Bar:
    """A progress bar that prints one line per step, so that it reads well in a log, too."""

    def __init__(self, steps: int) -> None:
        """Start the clock."""
        self.steps, self.done, self.began = steps, 0, time.monotonic()

    def step(self, what: str) -> None:
        """Print that another step is done."""
        self.done += 1
        filled = BAR * self.done // self.steps
        took = 1000 * (time.monotonic() - self.began)
        print(f"  [{'#' * filled}{'.' * (BAR - filled)}] {what:<15} {took:6.0f} ms", flush=True)


def fetch(url: str, body: str | None = None) -> tuple[int, dict[str, Any]]:
    """GET, or POST a JSON body; return the status and the JSON of the response."""
    data = body.encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TAKES) as answer:
        return answer.status, json.load(answer)


def finished(here: str, job_id: str) -> dict[str, Any] | None:
    """Return the job once it has ended."""
    _, job = fetch(f"{here}/jobs/{job_id}")
    return job if Status(job["status"]) in FINAL else None


def arrived(maildir: Path, subject: str) -> EmailMessage | None:
    """Return the mail with these words in its subject once it has arrived."""
    if not (maildir / "new").is_dir():
        return None
    for stored in mailbox.Maildir(maildir, factory=None, create=False):
        mail = message_from_bytes(stored.as_bytes(), policy=default)
        if subject in str(mail["subject"]):
            return mail
    return None


def indented(mail: EmailMessage) -> str:
    """Return the indented text of a mail."""
    part = mail.get_body(("plain",))
    text = part.get_content() if part else "(no text)"
    return "\n".join(f"  | {line}" for line in text.rstrip().splitlines())


def tail(log: Path, lines: int = 30) -> str:
    """Return the last lines of a file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
