"""Sends letters through a mail server: the one file that uses yagmail, and only its way of connecting.

Stands at the end of step 6 of a job's life; nothing comes after it. yagmail's own `send` is never called: it attaches
the file when a text is the path of one, fetches style sheets named in it, and sleeps and answers False on failure.
"""

import contextlib
import os
import smtplib
import socket
import ssl
import time
from email.headerregistry import Address
from email.utils import getaddresses
from functools import cached_property

import yagmail

from errand.errors import MailDeferred, MailRefused, MailServerAway, SettingsRefused
from schemas.address import is_address
from workers.envelope import MAIL, Envelope, NotTaken
from workers.letters import Letter
from workers.mail_server import Server
from workers.mime import as_mail

IDLE_SECONDS = 10.0
"""How long an open connection is kept for the next letter."""

LETTER_PATIENCE = 6
"""How many times as long as for the other answers to wait for the one to a whole letter."""

_OURS = frozenset({530, 534, 535, 538})
"""Answers about our login, not about the letter: the operator can mend it, so the letter waits."""
_TOO_LARGE = frozenset({552})
"""Answers to MAIL that are about the letter."""


class Mailer:
    """Sends letters one after the other, over one connection while that is healthy. Not for several threads at once."""

    def __init__(
        self, smtp_url: str, mail_from: str, timeout: float = 20.0, context: ssl.SSLContext | None = None
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

    @property
    def connected(self) -> bool:
        """Tell whether it holds a connection that can be used for a while."""
        return self._connection is not None and time.monotonic() - self._used_at <= IDLE_SECONDS

    def send(self, letter: Letter) -> None:
        """Hand the letter to the server.

        Raises MailRefused (never again), MailDeferred (try again later), and of these MailServerAway where it isn't
        about this letter: no other would have been taken either.
        """
        envelope = Envelope(self._sender.addr_spec, letter.to, as_mail(letter, self._sender))
        try:
            self._hand_over(envelope)
        except NotTaken as answer:
            if not answer.understood:
                self._drop()  # who knows which question the next answer would be to
            raise _verdict(answer) from None
        except smtplib.SMTPResponseException as refusal:  # to our greeting or login
            self._drop()
            busy = 400 <= refusal.smtp_code < 500
            raise MailServerAway(_short(refusal.smtp_code, refusal.smtp_error), busy=busy) from None
        except (OSError, smtplib.SMTPException) as failure:
            self._drop()
            error = MailDeferred if envelope.opened else MailServerAway
            raise error(_one_line(f"{type(failure).__name__}: {_words(failure)}")) from None
        except BaseException:
            self._drop()  # stopped in the middle of a conversation nobody can go on with
            raise
        finally:
            self._used_at = time.monotonic()

    def close(self) -> None:
        """Say goodbye to the server, if there is one; its answer is not waited for."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.smtp.putcmd("quit")
            self._drop()

    def _hand_over(self, envelope: Envelope) -> None:
        patience = LETTER_PATIENCE * self._timeout
        if healthy := self._healthy():
            try:
                return envelope.hand_over(healthy, patience)
            except NotTaken as answer:
                # it has had enough of this connection, and has seen nothing of the letter yet
                if answer.step != MAIL or not 400 <= answer.code < 500:
                    raise
        return envelope.hand_over(self._connect(), patience)

    def _healthy(self) -> smtplib.SMTP | None:
        """Give the open connection if it still answers; asked before, as a broken sending can't be begun again."""
        if self._connection is None or not self.connected:
            self.close()
            return None
        smtp: smtplib.SMTP = self._connection.smtp
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it went while it was idle
            if smtp.rset()[0] == 250:  # whatever was left of an earlier letter is gone with it
                self._used_at = time.monotonic()
                return smtp
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


def _verdict(answer: NotTaken) -> MailRefused | MailDeferred:
    """Judge a no: whose fault is it, and will it pass?

    A sender or a login that the server doesn't want is ours to mend, and so is nonsense before it knows the recipient.
    Only a size is refused with the sender already: it was told then.
    """
    text = _short(answer.code, answer.text)
    if answer.code in _OURS or answer.code == 421 or (answer.step == MAIL and answer.code not in _TOO_LARGE):
        return MailServerAway(text)
    return (MailRefused if 500 <= answer.code < 600 else MailDeferred)(text)


def _short(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return _one_line(f"{code if code > 0 else 'Not SMTP:'} {text}")


def _words(failure: Exception) -> str:
    """Say what happened; eventlet has only the name of an errno."""
    number = getattr(failure, "errno", None)
    return os.strerror(number) if number and not isinstance(failure, ssl.SSLError) else str(failure)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200].strip()


def _own_name() -> str:
    # what smtplib would find, without asking a name server at each connection
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
