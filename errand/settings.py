"""The settings: one frozen, validated object, read once from the environment (or `.env`).

Stands before everything: every process begins with `Settings.load()` and hands the object on. Every default is
here, with its unit; `config/.env.example` explains each to an operator.
"""

import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errand.errors import SettingsRefused
from errand.trust.recipients import parse_domains
from errand.trust.signing import parse_keys


class Settings(BaseSettings):
    """What an operator can choose. Field names are the environment variables, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # docker compose hands on what is not set as an empty text
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    amqp_uri: str = "amqp://guest:guest@127.0.0.1:5672//"
    """Broker: `amqp://…`, `amqps://…`, or `redis://…` for the embedded one."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    """Store: `redis://…`, `rediss://…` or `unix://…`."""
    store_replicas: Annotated[int, Field(ge=0, le=16)] = 0
    """Replicas of the store that must have a job before it is accepted, and an outcome before it is mailed."""
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_\-]{1,64}$")] = "errand:"
    """Put before every key in the store, so that several Errands can share it."""

    host: str = "127.0.0.1"
    """Address the API listens on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 5000
    """Port the API listens on."""
    public_url: str = ""
    """Where clients reach the API, for links in mails; default: `http://host:port`."""
    api_processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes of the API server."""
    api_threads: Annotated[int, Field(ge=1, le=256)] = 4
    """Threads that answer requests, in each process."""
    api_streams: Annotated[int, Field(ge=0, le=10_000)] = 1000
    """Event streams and waits that may be open at a time, in each process; each has a thread besides."""

    mail_enabled: bool = True
    """False: nobody is mailed, and jobs say so in `notifications`. API and workers must agree."""
    smtp_url: str = "smtp://127.0.0.1:1025"
    """Mail server: `smtp://user:pass@host:587` (STARTTLS when a user is given) or `smtps://…`."""
    mail_from: str = "Errand <errand@localhost>"
    """Sender of every mail."""
    mail_timeout: Annotated[float, Field(ge=0.1, le=600)] = 20.0
    """Seconds the mail server may take for each answer; for the one to a whole letter six times as long."""
    mail_pause: Annotated[float, Field(ge=0.05, le=600)] = 2.0
    """Seconds between the first two tries to send a mail; each further pause is twice as long, up to ten minutes."""
    mail_give_up: Annotated[float, Field(ge=1, le=31_536_000)] = 345_600.0
    """Seconds for which a mail is tried: four days, as mail servers do (RFC 5321, 4.5.4.1). Then it is `failed`."""
    mail_allow: str = ""
    """Domains whose addresses may be mailed to, separated by commas; `.example.com` has all below it. Empty: all."""
    mail_rate: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    """Mails that one address gets in an hour; more of them wait. 0: as many as there are."""
    mail_templates: str = ""
    """Folder whose files go before those of `workers/mail/templates/`."""
    mail_attachment_bytes: Annotated[int, Field(ge=0, le=26_214_400)] = 2_097_152
    """Bytes of the largest file that a mail carries; what is larger is behind its link."""
    link_ttl: Annotated[int, Field(ge=60, le=31_536_000)] = 604_800
    """Seconds for which the link in a mail leads to its job without further ado."""

    webhook_secret: SecretStr = SecretStr("")
    """What webhooks are signed with: `whsec_…`, or several with a space between them. Empty: no job may have one."""
    webhook_timeout: Annotated[float, Field(ge=0.1, le=60)] = 10.0
    """Seconds the receiver of a webhook may take for everything, from its name to its answer."""
    webhook_pause: Annotated[float, Field(ge=0.05, le=600)] = 5.0
    """Seconds between the first two tries to send a webhook; each further pause is twice as long, up to an hour."""
    webhook_give_up: Annotated[float, Field(ge=1, le=31_536_000)] = 86_400.0
    """Seconds for which a webhook is tried. Then it is `failed`."""

    result_ttl: Annotated[int, Field(ge=1, le=31_536_000)] = 86_400
    """Seconds a finished job and its result are kept."""
    lease_seconds: Annotated[float, Field(ge=0.5, le=3600)] = 10.0
    """Seconds after which a job whose worker went silent is given to another."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Starts of a job, those that never ended included, before it is failed."""
    cpu_slots: Annotated[int, Field(ge=0, le=1024)] = 0
    """Child processes for CPU-bound jobs, in each worker process; 0: as many as there are cores."""
    io_slots: Annotated[int, Field(ge=1, le=10_000)] = 200
    """I/O-bound jobs that run at a time, in each worker process."""
    job_timeout: Annotated[float, Field(ge=0.1, le=604_800)] = 3600.0
    """Seconds one attempt may take where neither its operation nor its client says so."""
    job_memory: Annotated[int, Field(ge=16_777_216)] = 1_073_741_824
    """Bytes one attempt may use where its operation does not say so."""
    stop_grace: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Seconds that running jobs are given when a worker stops; then they are handed back."""
    operations: str = "workers.operations"
    """Dotted modules that have the operations of this worker, separated by commas."""
    outbox_patience: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    """Seconds the rescuer leaves an unpublished job to the API that accepted it."""
    heartbeat: Annotated[int, Field(ge=1, le=600)] = 10
    """Seconds of the AMQP heartbeat: a silent broker is noticed after two."""
    max_result_bytes: Annotated[int, Field(ge=1024, le=67_108_864)] = 5_242_880
    """Bytes a result may take as JSON."""

    guard_allow: str = ""
    """Networks (CIDR, separated by commas) that operations and webhooks may connect to although they aren't public."""

    mailbox: str = ""
    """Maildir folder that the API shows at `/mailbox`, to whoever reaches it: for development. Empty: no such page."""
    examples: str = ""
    """Dotted paths of plug-ins (`docs/extending.md`), separated by commas."""
    web_server_address: Annotated[str, Field(pattern=r"^([^:\s]+:)?\d{1,5}$")] = "127.0.0.1:8000"
    """Where a plug-in with methods under `@http` listens: `host:port`, or `port` on all addresses; 0: any free one."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """Least level that is logged."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsRefused with a sentence that names the variable."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])).upper()
            raise SettingsRefused(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None

    @classmethod
    def load_or_exit(cls) -> Self:
        """Do as `load`, for entry points: a refusal is a sentence on stderr and exit status 2."""
        try:
            return cls.load()
        except SettingsRefused as refusal:
            sys.stderr.write(f"errand: {refusal.detail}\n")
            raise SystemExit(2) from None

    @field_validator("amqp_uri")
    @classmethod
    def _broker_known(cls, value: str) -> str:
        return _with_scheme(value, "amqp", "amqps", "pyamqp", "redis", "rediss")

    @field_validator("redis_url")
    @classmethod
    def _store_known(cls, value: str) -> str:
        return _with_scheme(value, "redis", "rediss", "unix")

    @field_validator("smtp_url")
    @classmethod
    def _mail_server_known(cls, value: str) -> str:
        return _with_scheme(value, "smtp", "smtps")

    @field_validator("webhook_secret")
    @classmethod
    def _secrets(cls, value: SecretStr) -> SecretStr:
        parse_keys(value.get_secret_value())
        return value

    @field_validator("mail_allow")
    @classmethod
    def _domains(cls, value: str) -> str:
        parse_domains(value)  # its ValueError is a sentence
        return value

    @field_validator("guard_allow")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in _listed(value):
            ip_network(network)  # its ValueError is a sentence
        return value

    @property
    def operation_modules(self) -> list[str]:
        """The modules of `operations`, one by one."""
        return _listed(self.operations)

    @property
    def plugin_paths(self) -> list[str]:
        """The plug-ins of `examples`, one by one."""
        return _listed(self.examples)

    @property
    def allowed_networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks of `guard_allow`, one by one."""
        return [ip_network(text) for text in _listed(self.guard_allow)]

    @property
    def allowed_domains(self) -> tuple[str, ...]:
        """The domains of `mail_allow`, one by one; none: all."""
        return parse_domains(self.mail_allow)

    @property
    def webhook_keys(self) -> list[bytes]:
        """The keys that webhooks are signed with; none: they are switched off."""
        return parse_keys(self.webhook_secret.get_secret_value())

    @property
    def base_url(self) -> str:
        """Where clients reach the API, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _with_scheme(url: str, *schemes: str) -> str:
    if url.partition("://")[0] not in schemes or not url.partition("://")[2]:
        raise ValueError(f"must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
    return url
