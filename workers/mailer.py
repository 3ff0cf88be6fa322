"""Sends letters through a mail server: the one file that uses yagmail, and only its way of connecting.

Stands at the end of step 6 of a job's life; nothing comes after it. yagmail's own `send` is never called: it attaches
the file when a text is the path of one, fetches style sheets named in it, and sleeps and answers False on failure.
"""

import contextlib
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import getaddresses
from functools import cached_property
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import yagmail

from errand.errors import MailDeferred, MailRefused, SettingsRefused
from schemas.address import is_address
from workers.letters import Letter
from workers.mime import as_mail

IDLE_SECONDS = 10.0
"""How long an open connection is kept for the next letter."""

_OURS = frozenset({530, 534, 535, 538})
"""Answers about our login, not about the letter: the operator can mend it, so the letter waits."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, read from its URL: `smtp://` or `smtps://`, with `user:password@` or without.

    With a user, `smtp://` goes on only over a verified STARTTLS; without one it stays plain, unless `?starttls=1`.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    ssl: bool
    starttls: bool

    @classmethod
    def at(cls, url: str) -> Self:
        """Read the URL; raise SettingsRefused with a sentence that doesn't hold the password."""
        try:
            parts = urlsplit(url)
            port, query = parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
        except ValueError:
            raise SettingsRefused("SMTP_URL: can't be read; write it as smtp://user:password@host:587") from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
            raise SettingsRefused("SMTP_URL: write it as smtp://user:password@host:587, or smtps:// for TLS at once")
        if query.keys() - {"starttls"} or query.get("starttls", ["1"])[0] not in ("0", "1"):
            raise SettingsRefused("SMTP_URL: the only option it knows is ?starttls=1")
        user, password = unquote(parts.username or "") or None, unquote(parts.password or "") or None
        if (user is None) != (password is None):
            raise SettingsRefused("SMTP_URL: give both user and password, or neither; nobody is there to be asked")
        if not (f"{user}{password}".isascii() and f"{user}{password}".isprintable()):
            raise SettingsRefused("SMTP_URL: user and password must be plain ASCII, percent-encoded")
        implicit = parts.scheme == "smtps"
        starttls = not implicit and (user is not None or query.get("starttls") == ["1"])
        usual_port = 465 if implicit else 587 if user else 25
        return cls(parts.hostname, port or usual_port, user, password, implicit, starttls)


class Mailer:
    """Sends letters one after the other, over one connection while that is healthy. Not for several threads at once."""

    def __init__(
        self, smtp_url: str, mail_from: str, timeout: float = 10.0, context: ssl.SSLContext | None = None
    ) -> None:
        """Connect to nothing yet. `timeout` is in seconds, for each answer; raise SettingsRefused for bad settings."""
        (name, address), *others = getaddresses([mail_from]) or [("", "")]
        if others or not is_address(address) or not mail_from.isprintable():
            raise SettingsRefused("MAIL_FROM: write it as `Name <name@example.com>`")
        self._sender = Address(name, addr_spec=address)
        self._server = Server.at(smtp_url)
        self._timeout = timeout
        self._given_context = context
        self._connection: yagmail.SMTP | None = None
        self._used_at = 0.0

    def send(self, letter: Letter) -> None:
        """Hand the letter to the server; raise MailRefused (never again) or MailDeferred (try again later)."""
        mail = as_mail(letter, self._sender)
        try:
            self._hand_over(mail, letter.to)
        except smtplib.SMTPRecipientsRefused as refusal:
            raise _verdict(*refusal.recipients[letter.to]) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
            raise _verdict(refusal.smtp_code, refusal.smtp_error) from None
        except smtplib.SMTPResponseException as refusal:  # to our greeting or login: says nothing about the letter
            self._drop()
            raise MailDeferred(_short(refusal.smtp_code, refusal.smtp_error)) from None
        except (OSError, smtplib.SMTPException) as failure:
            self._drop()
            raise MailDeferred(_one_line(f"{type(failure).__name__}: {failure}")) from None
        except BaseException:
            self._drop()  # stopped in the middle of a conversation nobody can go on with
            raise

    def close(self) -> None:
        """Say goodbye to the server, if there is one."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.smtp.quit()
            self._drop()

    def _hand_over(self, mail: bytes, to: str) -> None:
        envelope = (self._sender.addr_spec, [to], mail)
        healthy = self._healthy()
        try:
            (healthy or self._connect()).sendmail(*envelope)
        except smtplib.SMTPSenderRefused as refusal:
            if healthy is None or refusal.smtp_code != 421:
                raise
            # the server has had enough of this connection, and has seen nothing of the letter yet
            self._connect().sendmail(*envelope)

    def _healthy(self) -> smtplib.SMTP | None:
        """Give the open connection if it still answers; asked before, as a broken sending can't be begun again."""
        if self._connection is None:
            return None
        smtp: smtplib.SMTP = self._connection.smtp
        try:
            if time.monotonic() - self._used_at > IDLE_SECONDS:
                smtp.putcmd("quit")  # politely, but the answer is not waited for
            elif smtp.noop()[0] == 250:
                self._used_at = time.monotonic()
                return smtp
        except (OSError, smtplib.SMTPException):
            pass  # it went while it was idle
        return None

    def _connect(self) -> smtplib.SMTP:
        self._drop()
        server = self._server
        tls = {"context": self._context} if server.ssl or server.starttls else {}
        self._connection = yagmail.SMTP(
            # as a dict: a user without "@" would become one at gmail.com; never None, which reads ~/.yagmail
            user={server.user or "": ""},
            # never None with a login, which asks the keyring and then the terminal
            password=server.password,
            host=server.host,
            port=server.port,
            smtp_ssl=server.ssl,
            smtp_starttls=tls if server.starttls else False,
            smtp_skip_login=server.user is None,
            soft_email_validation=False,
            timeout=self._timeout,
            local_hostname=_own_name(),
            **(tls if server.ssl else {}),
        )
        self._connection.set_logging(None)  # it took over its logger, and would print to stderr
        self._connection.login()
        self._used_at = time.monotonic()
        smtp: smtplib.SMTP = self._connection.smtp
        return smtp

    def _drop(self) -> None:
        """Forget the connection without a word: what is left of it may be silent, and nobody should wait for it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.is_closed = True  # or it would say QUIT, and wait, when it is collected
            if connection.smtp is not None:
                connection.smtp.close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._given_context or ssl.create_default_context()


def _verdict(code: int, answer: bytes | str) -> MailRefused | MailDeferred:
    passing = code < 500 or code in _OURS
    return (MailDeferred if passing else MailRefused)(_short(code, answer))


def _short(code: int, answer: bytes | str) -> str:
    return _one_line(f"{code} {answer.decode('utf-8', 'replace') if isinstance(answer, bytes) else answer}")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()


def _own_name() -> str:
    # what smtplib would find, without asking a name server at each connection
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
