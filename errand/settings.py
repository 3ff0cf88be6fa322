"""The settings: one frozen, validated object, read once from the environment (or `.env`).

Every process starts with `Settings.load_or_exit()` and passes the object on. Each default stands here, with its unit
and the programs that read it; `config/.env.example` explains each setting to operators.
"""

import sys
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errand.errors import SettingsRefused
from errand.process.ports import http_url
from errand.public_url import path_of
from errand.setting_readers import (
    BY_ALL,
    BY_API,
    BY_COMPUTE,
    BY_MAIL,
    BY_WEBHOOKS,
    BY_WORKERS,
    WORKERS,
    Program,
    read_by,
)
from errand.setting_types import (
    BrokerUrl,
    Domains,
    Folder,
    Host,
    HostNames,
    MailServerUrl,
    ModuleList,
    Networks,
    Origins,
    PublicUrl,
    SigningSecrets,
    StoreUrl,
    WebAddress,
    parse_networks,
    split_list,
)
from errand.trust.recipients import parse_domains
from errand.trust.signing import parse_keys
from errand.trust.web_origins import origin_of, parse_hosts

ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- read here, not bound
"""Addresses that mean all of this machine's, and what a link names instead: they lead nowhere themselves."""


class Settings(BaseSettings):
    """What an operator can choose. Field names are the environment variables, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,  # docker compose passes a variable that is not set as an empty text
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    amqp_uri: Annotated[BrokerUrl, BY_ALL] = "amqp://guest:guest@127.0.0.1:5672//"
    """URL of the broker: `amqp://…`, `amqps://…`, or `redis://…` for the embedded broker."""
    redis_url: Annotated[StoreUrl, BY_ALL] = "redis://127.0.0.1:6379/0"
    """URL of the store: `redis://…`, `rediss://…` or `unix://…`."""
    store_replicas: Annotated[int, Field(ge=0, le=16), BY_ALL] = 0
    """Number of replicas that must confirm a job before it is accepted, and an outcome before it is mailed."""
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_\-]{1,64}$"), BY_ALL] = "errand:"
    """Prefix of every key in the store, so that several Errands can share one store."""

    host: Annotated[Host, read_by(Program.API, Program.MAIL, Program.WEBHOOKS, Program.RUN)] = "127.0.0.1"
    """Address that the API listens on."""
    port: Annotated[int, Field(ge=1, le=65535), read_by(Program.API, Program.MAIL, Program.WEBHOOKS, Program.RUN)] = (
        5000
    )
    """Port that the API listens on."""
    public_url: Annotated[PublicUrl, read_by(Program.API, Program.MAIL, Program.WEBHOOKS)] = ""
    """URL under which clients reach the API, with a path if a proxy adds one. Empty: `http://host:port`."""
    trusted_hosts: Annotated[HostNames, read_by(Program.API, Program.COMPUTE)] = ""
    """Names under which clients may reach a server besides its own, separated by commas; `.example.com`, `*`."""
    cors_origins: Annotated[Origins, BY_API] = ""
    """Origins of web pages that may call the API from a browser, separated by commas. Empty: only our own pages."""
    trusted_proxies: Annotated[Networks, BY_API] = ""
    """Networks (CIDR, separated by commas) of proxies whose `X-Forwarded-*` and `Forwarded` are believed."""
    api_processes: Annotated[int, Field(ge=1, le=64), BY_API] = 1
    """Number of processes of the API server."""
    api_threads: Annotated[int, Field(ge=1, le=256), BY_API] = 4
    """Number of threads that answer requests, in each process."""
    api_streams: Annotated[int, Field(ge=0, le=10_000), BY_API] = 1000
    """Number of event streams and waiting requests open at a time, in each process; each has its own thread."""

    mail_enabled: Annotated[bool, read_by(Program.API, *WORKERS, Program.RUN)] = True
    """False: no mail is sent, and jobs say so in `notifications`. API and workers must agree."""
    smtp_url: Annotated[MailServerUrl, read_by(Program.MAIL, Program.RUN)] = "smtp://127.0.0.1:1025"
    """URL of the mail server: `smtp://user:password@host:587` (STARTTLS if a user is given) or `smtps://…`."""
    mail_from: Annotated[str, BY_MAIL] = "Errand <errand@localhost>"
    """Sender of every mail."""
    mail_timeout: Annotated[float, Field(ge=0.1, le=600), BY_MAIL] = 20.0
    """Seconds that the mail server may take for each reply, and six times as long for the reply to a whole mail."""
    mail_pause: Annotated[float, Field(ge=0.05, le=600), BY_MAIL] = 2.0
    """Seconds between the first two attempts to send a mail; each further pause doubles, up to ten minutes."""
    mail_give_up: Annotated[float, Field(ge=1, le=31_536_000), BY_ALL] = 345_600.0
    """Seconds after which an unsent mail is `failed`: four days, as mail servers do (RFC 5321, 4.5.4.1)."""
    mail_allow: Annotated[Domains, BY_ALL] = ""
    """Domains that may receive mail, separated by commas; `.example.com` allows every domain below it. Empty: all."""
    mail_rate: Annotated[int, Field(ge=0, le=1_000_000), BY_ALL] = 1000
    """Mails that one address receives in an hour at most; further mails wait. 0: no limit."""
    mail_templates: Annotated[Folder, BY_MAIL] = ""
    """Folder of templates that replace those in `workers/mail/templates/`. Empty: none are replaced."""
    mail_attachment_bytes: Annotated[int, Field(ge=0, le=26_214_400), BY_MAIL] = 2_097_152
    """Bytes of the largest attachment; a mail links to larger files instead."""
    link_ttl: Annotated[int, Field(ge=60, le=31_536_000), BY_MAIL] = 604_800
    """Seconds for which the link in a mail opens its job."""

    webhook_secret: Annotated[SigningSecrets, read_by(Program.API, Program.WEBHOOKS, Program.RUN)] = SecretStr("")
    """Secrets that sign webhooks: `whsec_…`, several separated by spaces. Empty: webhooks are off."""
    webhook_timeout: Annotated[float, Field(ge=0.1, le=60), read_by(Program.WEBHOOKS, Program.RUN)] = 10.0
    """Seconds that a webhook may take, from resolving the receiver's name to reading its reply."""
    webhook_pause: Annotated[float, Field(ge=0.05, le=600), BY_WEBHOOKS] = 5.0
    """Seconds between the first two attempts to send a webhook; each further pause doubles, up to an hour."""
    webhook_give_up: Annotated[float, Field(ge=1, le=31_536_000), BY_WEBHOOKS] = 86_400.0
    """Seconds after which an undelivered webhook is `failed`."""

    result_ttl: Annotated[int, Field(ge=1, le=31_536_000), BY_ALL] = 86_400
    """Seconds for which a job that succeeded is kept, with its result."""
    failure_ttl: Annotated[int, Field(ge=1, le=31_536_000), BY_ALL] = 2_592_000
    """Seconds for which a job that failed is kept: 30 days, so that somebody can look at it and run it again."""
    cancelled_ttl: Annotated[int, Field(ge=1, le=31_536_000), BY_ALL] = 604_800
    """Seconds for which a job that was cancelled is kept."""
    lease_seconds: Annotated[float, Field(ge=0.5, le=3600), BY_WORKERS] = 10.0
    """Seconds after which a job is given to another worker if its worker does not renew the lease."""
    max_attempts: Annotated[int, Field(ge=1, le=100), BY_ALL] = 3
    """Number of times a job is started before it fails, including attempts that never ended."""
    cpu_slots: Annotated[int, Field(ge=0, le=1024), BY_COMPUTE] = 0
    """Number of child processes for CPU-bound jobs, in each worker process. 0: one for each core."""
    io_slots: Annotated[int, Field(ge=1, le=10_000), BY_COMPUTE] = 200
    """Number of I/O-bound jobs that run at a time, in each worker process."""
    job_timeout: Annotated[float, Field(ge=0.1, le=604_800), BY_COMPUTE] = 3600.0
    """Seconds that one attempt may take, unless its operation or its client sets another limit."""
    job_memory: Annotated[int, Field(ge=16_777_216, le=1_125_899_906_842_624), BY_COMPUTE] = 1_073_741_824
    """Bytes of memory that one attempt may use, unless its operation sets another limit."""
    stop_grace: Annotated[float, Field(ge=0, le=3600), read_by(Program.COMPUTE, Program.MAIL, Program.RUN)] = 10.0
    """Seconds that running jobs have to finish when a worker stops; then they are handed back."""
    operations: Annotated[ModuleList, BY_WORKERS] = "workers.operations"
    """Dotted modules with the operations of this worker, separated by commas."""
    outbox_patience: Annotated[float, Field(ge=0.1, le=3600), read_by(Program.RESCUER)] = 5.0
    """Seconds that the rescuer waits before it publishes a job that the accepting API has not published."""
    heartbeat: Annotated[int, Field(ge=1, le=600), BY_WORKERS] = 10
    """Seconds between AMQP heartbeats; a silent broker is noticed after two of them."""
    max_result_bytes: Annotated[int, Field(ge=1024, le=67_108_864), BY_COMPUTE] = 5_242_880
    """Bytes of the largest result, as JSON."""

    guard_allow: Annotated[Networks, BY_ALL] = ""
    """Networks (CIDR, separated by commas) that operations and webhooks may connect to although they aren't public."""

    mailbox: Annotated[Folder, read_by(Program.API, Program.RUN)] = ""
    """Maildir folder that the API shows at `/mailbox`, without access control: for development. Empty: no such page."""
    examples: Annotated[ModuleList, BY_ALL] = ""
    """Dotted paths of plug-ins (`docs/extending.md`), separated by commas."""
    web_server_address: Annotated[WebAddress, BY_COMPUTE] = "127.0.0.1:8000"
    """Where a plug-in's `@http` methods listen: `host:port`, or `port` on all addresses. Port 0: any free port."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BY_ALL] = "INFO"
    """Lowest level that is logged."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsRefused with a sentence that names the variable."""
        try:
            return cls()
        except OSError as error:
            raise SettingsRefused(f"{error.filename}: can't be read: {error.strerror}") from None
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])).upper()
            raise SettingsRefused(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None

    @classmethod
    def load_or_exit(cls) -> Self:
        """Read the environment as entry points do: a refusal is a sentence on stderr and exit status 2."""
        try:
            return cls.load()
        except SettingsRefused as refusal:
            sys.stderr.write(f"errand: {refusal.detail}\n")
            raise SystemExit(2) from None

    @property
    def operation_modules(self) -> list[str]:
        """The modules named by `operations`."""
        return split_list(self.operations)

    @property
    def plugin_paths(self) -> list[str]:
        """The dotted paths of the plug-ins named by `examples`."""
        return split_list(self.examples)

    @property
    def allowed_networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks named by `guard_allow`."""
        return parse_networks(self.guard_allow)

    @property
    def proxy_networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks named by `trusted_proxies`."""
        return parse_networks(self.trusted_proxies)

    @property
    def allowed_domains(self) -> tuple[str, ...]:
        """The domains named by `mail_allow`; empty: every domain."""
        return parse_domains(self.mail_allow)

    @property
    def webhook_keys(self) -> list[bytes]:
        """The keys that sign webhooks; empty: webhooks are off."""
        return parse_keys(self.webhook_secret.get_secret_value())

    @property
    def base_url(self) -> str:
        """The URL under which clients reach the API, without a slash at the end."""
        return self.public_url or http_url(ANY_ADDRESS.get(self.host, self.host), self.port)

    @property
    def trusted_names(self) -> set[str]:
        """The host names of `trusted_hosts` and `public_url`."""
        return {*parse_hosts(self.trusted_hosts), urlsplit(self.public_url).hostname or ""}

    @property
    def public_origin(self) -> str:
        """The origin of `public_url`, as browsers write it; empty if that isn't set."""
        parts = urlsplit(self.public_url)
        return origin_of(f"{parts.scheme}://{parts.netloc}") if self.public_url else ""

    @property
    def public_path(self) -> str:
        """The path of `public_url`, such as `/errand`, with which all paths in answers begin; mostly empty."""
        return path_of(self.public_url)
