"""Decides which servers `make run` starts and how: those that neither the environment nor `.env` names."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from errand.embedded.valkey import Valkey
from errand.process.ports import LOCALHOST, free_port
from errand.process.private_folder import OWNER_ONLY
from errand.settings import Settings
from errand.trust.signing import new_secret

ROOT = Path(__file__).parents[2]
VALKEY_PORT = 56379
MAILBOX_PORT = 51025
WEB_PORT = 8000
"""Ports of the embedded servers; each takes the next free port if its own is in use."""
SWITCHED_OFF_IF_EMPTY = frozenset({"examples", "webhook_secret"})
STORE_DATABASE, BROKER_DATABASE = 0, 1


@dataclass
class RunPlan:
    """The servers to start besides API and workers, and the settings that lead to them."""

    data: Path
    valkey: Valkey | None = None
    mailbox_port: int | None = None
    mailbox: Path | None = None
    """Folder of the caught mails; None if mails are sent."""
    env: dict[str, str] = field(default_factory=dict)


def plan_for(settings: Settings, data: Path) -> RunPlan:
    """Plan a server or a value for each setting that was not set; make the folder of the data if it is missing.

    A setting that is set to nothing is off where that has a meaning: no plug-ins, no webhooks.
    """
    named = settings.model_fields_set | (SWITCHED_OFF_IF_EMPTY & set_to_nothing())
    data.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
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
        plan.env["WEBHOOK_SECRET"] = stored_secret(data / "webhook_secret")
    return plan


def set_to_nothing() -> set[str]:
    """Return the settings that the environment, or else `.env`, names with an empty value."""
    named = {**dotenv_values(".env"), **os.environ}
    return {name.lower() for name, value in named.items() if value is not None and not value.strip()}


def shipped_examples() -> list[str]:
    """List the dotted paths of the plug-ins in this checkout; an installed Errand has none."""
    folders = sorted(path.parent for path in (ROOT / "examples").glob("*/*.py") if path.stem in {"service", "routes"})
    return [f"examples.{folder.name}" for folder in dict.fromkeys(folders)]


def stored_secret(file: Path) -> str:
    """Return the secret that signs webhooks; the first start writes it to `file`, readable by this user only."""
    file.touch(mode=0o600)
    if not file.read_text().strip():
        file.write_text(new_secret() + "\n")
    return file.read_text().strip()
