"""`make run`: runs all of Errand on this machine, in the foreground.

Starts Valkey, a mail catcher, the workers and the API; a server that a setting names is not started. Prints where to
click once all are ready. Next: `run_plan.py`, which chooses the servers; `process_group.py`, which runs them;
`run_watch.py`, which watches them.
"""

import argparse
import json
import os
import sys
import threading
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path

from errand.embedded.address_check import why_not_listening
from errand.embedded.console import say
from errand.embedded.process_group import ProcessGroup
from errand.embedded.run_environment import environment_file
from errand.embedded.run_plan import RunPlan, plan_for
from errand.embedded.run_watch import watch_run, watch_stop
from errand.embedded.valkey import ValkeyFailed
from errand.embedded.worker_notices import WorkerNotices
from errand.health import NOTIFY_SOCKET
from errand.process.ports import LOCALHOST, http_url
from errand.process.waiting import NeverHappened, until
from errand.settings import ANY_ADDRESS, Settings

READY_IN = 60.0
"""Seconds after which `make run` explains what is missing."""
LAST_SECONDS = 10.0
"""How long workers may take to hand back and to commit, after the time that they give to what runs."""
WEBHOOK_MARGIN = 5.0
"""How much longer than its timeout a webhook may take, see `workers/webhooks/sender.py`."""


def main() -> int:
    """Run until everything has stopped; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m errand.embedded.run", description="Run all of Errand on this machine."
    )
    parser.add_argument("--data", type=Path, default=Path(".errand"), help="folder for data and mails (%(default)s)")
    data = parser.parse_args().data
    settings = Settings.load_or_exit()
    if refusal := why_not_listening(settings.host, settings.port):
        sys.stderr.write(f"errand: {refusal}\n")
        return 2
    try:
        return run(settings, plan_for(settings, data))
    except ValkeyFailed as failure:
        say(str(failure))
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        sys.stderr.write(f"errand: can't use {error.filename}: {error.strerror}. {other_folder(data)}\n")
        return 2
    except KeyboardInterrupt:
        return 0


def other_folder(data: Path) -> str:
    """Say how to get at a data folder that this user may not use."""
    command = f"{sys.executable} -m errand.embedded.run --data FOLDER"
    return f"Make {data} your own (sudo chown -R $(id -un) {data}), or use another folder: {command}"


def run(settings: Settings, plan: RunPlan) -> int:
    """Start the planned servers, then workers and API, and wait for the end."""
    processes = ProcessGroup(max(settings.stop_grace, settings.webhook_timeout + WEBHOOK_MARGIN) + LAST_SECONDS)
    with ExitStack() as stack:
        if plan.valkey:
            say(f"starting Valkey on port {plan.valkey.port}, data in {plan.valkey.folder} ...")
            stack.callback(plan.valkey.stop)  # last, so that the others can still write to it
            plan.valkey.start()
        others = {"WEB_SERVER_ADDRESS": f"{LOCALHOST}:0"} if "WEB_SERVER_ADDRESS" in plan.env else {}
        stack.enter_context(environment_file(plan.data, plan.env | others))
        workers = stack.enter_context(closing(WorkerNotices()))
        add_processes(processes, plan, workers)
        say(f"starting {', '.join(processes.names)} ...")
        threading.Thread(target=watch, args=(processes, settings, plan, workers), daemon=True).start()
        processes.loop()
        return report_end(processes, plan)


def add_processes(processes: ProcessGroup, plan: RunPlan, workers: WorkerNotices) -> None:
    """Add the mail catcher (if planned), the workers and the API, all with the planned settings."""
    # PYTHONUNBUFFERED: each line is shown as soon as it is written
    env = {**os.environ, **plan.env, "PYTHONUNBUFFERED": "1"}
    python = sys.executable
    if plan.mailbox:
        mailbox = [python, "-m", "errand.embedded.mail_catcher", "--host", LOCALHOST, "--port", str(plan.mailbox_port)]
        processes.add("mailbox", [*mailbox, "--maildir", str(plan.mailbox)], env)
    processes.add("workers", [python, "-m", "workers"], env | {NOTIFY_SOCKET: workers.address})
    processes.add("api", [python, "-m", "api"], env)


def watch(processes: ProcessGroup, settings: Settings, plan: RunPlan, workers: WorkerNotices) -> None:
    """Print the welcome once all is ready, then watch until everything has stopped."""

    def ready() -> bool:
        return processes.stopping or (workers.started() and is_ready(settings))

    try:
        until(ready, READY_IN, "all parts ready", pause=0.1)
        if not processes.stopping:
            say(welcome(settings, plan))
    except NeverHappened as never:
        say(f"{never}; still trying. The lines above and {address(settings)}/readyz say what is missing")
    watch_run(processes, plan.valkey)
    watch_stop(processes, workers)


def is_ready(settings: Settings) -> bool:
    """Ask the API whether it, the store and the broker are ready."""
    try:
        with urllib.request.urlopen(f"{address(settings)}/readyz", timeout=2) as answer:
            # 200 also without the broker, as jobs are accepted then; a mail server that is away holds up no start
            return bool(json.load(answer)["dependencies"]["broker"] == "up")
    except (OSError, ValueError):
        return False


def address(settings: Settings) -> str:
    """Return the URL under which this machine reaches the API."""
    return http_url(ANY_ADDRESS.get(settings.host, settings.host), settings.port)


def welcome(settings: Settings, plan: RunPlan) -> str:
    """Write where to click, where mails go and what to try."""
    here = address(settings)
    mails = f"{here}/mailbox" if plan.mailbox else f"sent through {settings.smtp_url.rpartition('@')[2]}"
    hooks = f"signed with the secret in {plan.data / 'webhook_secret'}"
    if "WEBHOOK_SECRET" not in plan.env:
        hooks = "signed with WEBHOOK_SECRET" if settings.webhook_keys else "switched off (WEBHOOK_SECRET)"
    own = {"EXAMPLES", "WEB_SERVER_ADDRESS"} <= plan.env.keys()
    http = f"\n  http    http://{plan.env['WEB_SERVER_ADDRESS']} (examples/http)" if own else ""
    return f"""ready

  click   {here}/apidocs
  mails   {mails if settings.mail_enabled else "switched off (MAIL_ENABLED)"}
  hooks   {hooks}{http}
  try     curl {here}/compute -H 'Content-Type: application/json' \\
            -d '{{"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}}'
  stop    Ctrl-C
"""


def report_end(processes: ProcessGroup, plan: RunPlan) -> int:
    """Print which process stopped first, if the user did not stop the run; return the exit status."""
    who = processes.first_stopped
    if who is None:
        say("stopped")
        return 0
    last = plan.valkey.tail() if who == "valkey" and plan.valkey else "\n".join(processes.lines.last[who])
    say(f"{who} stopped by itself, so the others were stopped too; its last lines:\n{last or '(none)'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
