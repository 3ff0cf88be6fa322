"""`make run`: everything on one machine, in the foreground; what no setting names is brought along.

Stands before the life of a job: it starts Valkey, the mail catcher, the workers and the API, and tells where to click.
Next: `process_group.py`, which keeps them together, or `api/__main__.py`, where a job begins.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from errand.embedded.process_group import ProcessGroup
from errand.embedded.run_environment import environment_file
from errand.embedded.valkey import Valkey, ValkeyFailed
from errand.health import NOTIFY_SOCKET
from errand.process.ports import LOCALHOST, free_port, port_is_free
from errand.process.waiting import NeverHappened, until
from errand.settings import Settings
from errand.trust.signing import new_secret

ROOT = Path(__file__).parents[2]
VALKEY_PORT = 56379
MAILBOX_PORT = 51025
WEB_PORT = 8000
"""Where the embedded servers listen, or on the next free port."""
READY_IN = 60.0
"""Seconds after which a start that is not ready is explained."""
STORE_DATABASE, BROKER_DATABASE = 0, 1


@dataclass
class RunPlan:
    """What has to be started beside API and workers, and the settings that lead to it."""

    data: Path
    valkey: Valkey | None = None
    mailbox_port: int | None = None
    mailbox: Path | None = None
    """Folder of the mails that are caught; None where they are sent."""
    env: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Start everything, stay until it ends, and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m errand.embedded.run", description="Run all of Errand here.")
    parser.add_argument("--data", type=Path, default=Path(".errand"), help="folder for data and mails (%(default)s)")
    data = parser.parse_args().data
    settings = Settings.load_or_exit()
    if not port_is_free(settings.port, settings.host):
        other = free_port(settings.port + 1, settings.host)
        say(f"port {settings.port} is in use; stop what listens there, or choose another: PORT={other} make run")
        return 2
    plan = plan_for(settings, data)
    try:
        return run(settings, plan)
    except ValkeyFailed as failure:
        say(str(failure))
        return 2
    except KeyboardInterrupt:
        return 0


def plan_for(settings: Settings, data: Path) -> RunPlan:
    """Choose what to bring along: only what neither the environment nor `.env` names."""
    named = settings.model_fields_set
    plan = RunPlan(data)
    if not {"redis_url", "amqp_uri"} <= named:
        plan.valkey = Valkey(data / "store", free_port(VALKEY_PORT))
        if "redis_url" not in named:
            plan.env["REDIS_URL"] = plan.valkey.url(STORE_DATABASE)
        if "amqp_uri" not in named:
            plan.env["AMQP_URI"] = plan.valkey.url(BROKER_DATABASE)
    if "smtp_url" not in named and settings.mail_enabled:
        plan.mailbox_port = free_port(MAILBOX_PORT)
        plan.env["SMTP_URL"] = f"smtp://{LOCALHOST}:{plan.mailbox_port}"
        plan.mailbox = Path(settings.mailbox or data / "mail")
        plan.env["MAILBOX"] = str(plan.mailbox)
    if "examples" not in named and (examples := shipped_examples()):
        plan.env["EXAMPLES"] = ",".join(examples)
        plan.env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    if "web_server_address" not in named:
        plan.env["WEB_SERVER_ADDRESS"] = f"{LOCALHOST}:{free_port(WEB_PORT)}"
    if "webhook_secret" not in named:
        plan.env["WEBHOOK_SECRET"] = kept_secret(data / "webhook_secret")
    return plan


def shipped_examples() -> list[str]:
    """List the plug-ins of this checkout by their dotted paths; an installed Errand has none."""
    folders = sorted(path.parent for path in (ROOT / "examples").glob("*/*.py") if path.stem in {"service", "routes"})
    return [f"examples.{folder.name}" for folder in dict.fromkeys(folders)]


def kept_secret(file: Path) -> str:
    """Give the secret that webhooks are signed with, the same at each start; only this user may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    if not file.read_text().strip():
        file.write_text(new_secret() + "\n")
    return file.read_text().strip()


def run(settings: Settings, plan: RunPlan) -> int:
    """Start what is planned in order, tell when it is ready, and wait for the end."""
    together = ProcessGroup()
    with ExitStack() as stack:
        if plan.valkey:
            say(f"starting Valkey on port {plan.valkey.port}, with its data in {plan.valkey.folder} ...")
            stack.callback(plan.valkey.stop)  # after the others, so that they can finish their writing
            plan.valkey.start()
        others = {"WEB_SERVER_ADDRESS": f"{LOCALHOST}:0"} if "WEB_SERVER_ADDRESS" in plan.env else {}
        stack.enter_context(environment_file(plan.data, plan.env | others))
        workers = stack.enter_context(closing(Announcement()))
        add_processes(together, plan, workers)
        say(f"starting {', '.join(together.names)} ...")
        threading.Thread(target=watch, args=(together, settings, plan, workers), daemon=True).start()
        together.loop()
        return account(together, plan)


class Announcement:
    """Where the workers tell that they have started; `came` says whether they have."""

    def __init__(self) -> None:
        """Listen; the address is short, whatever the path of the data is."""
        self._folder = tempfile.mkdtemp(prefix="errand-")
        self.address = f"{self._folder}/notice"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(0)
        self._came = False

    def came(self) -> bool:
        """Tell whether they have."""
        with suppress(OSError):
            self._came = self._came or bool(self._socket.recv(64))
        return self._came

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def add_processes(together: ProcessGroup, plan: RunPlan, workers: Announcement) -> None:
    """Add the mail catcher (when planned), the workers and the API, all with the planned settings."""
    # unbuffered: a line is shown when it is written
    env = {**os.environ, **plan.env, "PYTHONUNBUFFERED": "1"}
    python = sys.executable
    if plan.mailbox:
        mailbox = [python, "-m", "errand.embedded.mail_catcher", "--host", LOCALHOST, "--port", str(plan.mailbox_port)]
        together.add("mailbox", [*mailbox, "--maildir", str(plan.mailbox)], env)
    together.add("workers", [python, "-m", "workers"], env | {NOTIFY_SOCKET: workers.address})
    together.add("api", [python, "-m", "api"], env)


def watch(together: ProcessGroup, settings: Settings, plan: RunPlan, workers: Announcement) -> None:
    """Say when all is ready; then stop everything if the embedded Valkey ends by itself."""

    def ready() -> bool:
        return together.stopping or (workers.came() and is_ready(settings))

    try:
        until(ready, READY_IN, "everything ready", pause=0.1)
        if not together.stopping:
            say(welcome(settings, plan))
    except NeverHappened as never:
        say(f"{never}; still trying. The lines above tell what is missing, and so does {address(settings)}/readyz")
    if plan.valkey and plan.valkey.process:
        plan.valkey.process.wait()
        if not together.stopping:
            together.first_stopped = "valkey"
            os.kill(os.getpid(), signal.SIGTERM)


def is_ready(settings: Settings) -> bool:
    """Ask the API whether it and all it needs are ready."""
    try:
        with urllib.request.urlopen(f"{address(settings)}/readyz", timeout=2) as answer:
            # "degraded" is 200 too: the API accepts, but the broker is not there
            return bool(json.load(answer)["status"] == "ready")
    except (OSError, ValueError):
        return False


def address(settings: Settings) -> str:
    """Tell where this machine reaches the API."""
    host = {"0.0.0.0": LOCALHOST, "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"


def welcome(settings: Settings, plan: RunPlan) -> str:
    """Tell where to click, where mails land and what to try."""
    here = address(settings)
    mails = f"{here}/mailbox" if plan.mailbox else f"sent through {settings.smtp_url.rpartition('@')[2]}"
    hooks = f"signed with the secret in {plan.data / 'webhook_secret'}"
    if "WEBHOOK_SECRET" not in plan.env:
        hooks = "signed with WEBHOOK_SECRET"
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


def account(together: ProcessGroup, plan: RunPlan) -> int:
    """Say who brought all down, if it was not the user; give the exit status."""
    who = together.first_stopped
    if who is None:
        say("stopped")
        return 0
    last = plan.valkey.tail() if who == "valkey" and plan.valkey else "\n".join(together.lines.last[who])
    say(f"{who} stopped by itself, so everything was stopped; its last lines:\n{last or '(none)'}")
    return 1


def say(text: str) -> None:
    """Print as Errand itself."""
    print(f"errand: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
