"""The settings: one frozen, validated object, read once from the environment (or `.env`).

Stands before everything: every process begins with `Settings.load()` and hands the object on. Every default is
here, with its unit; `config/.env.example` explains each to an operator.
"""

import sys
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errand.errors import SettingsRefused


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

    mail_enabled: bool = True
    """False: nobody is mailed, and jobs say so in `notifications`. API and workers must agree."""
    smtp_url: str = "smtp://127.0.0.1:1025"
    """Mail server: `smtp://user:pass@host:587` (STARTTLS when a user is given) or `smtps://…`."""
    mail_from: str = "Errand <errand@localhost>"
    """Sender of every mail."""

    result_ttl: Annotated[int, Field(ge=1, le=31_536_000)] = 86_400
    """Seconds a finished job and its result are kept."""
    lease_seconds: Annotated[float, Field(ge=0.5, le=3600)] = 10.0
    """Seconds after which a job whose worker went silent is given to another."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Starts of a job, those that never ended included, before it is failed."""
    outbox_patience: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    """Seconds the rescuer leaves an unpublished job to the API that accepted it."""
    heartbeat: Annotated[int, Field(ge=1, le=600)] = 10
    """Seconds of the AMQP heartbeat: a silent broker is noticed after two."""
    max_result_bytes: Annotated[int, Field(ge=1024, le=67_108_864)] = 5_242_880
    """Bytes a result may take as JSON."""

    examples: str = ""
    """Dotted paths of plug-ins, separated by commas."""
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

    @property
    def base_url(self) -> str:
        """Where clients reach the API, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def _with_scheme(url: str, *schemes: str) -> str:
    if url.partition("://")[0] not in schemes or not url.partition("://")[2]:
        raise ValueError(f"must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
    return url
