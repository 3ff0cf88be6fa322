"""Sends letters through a mail server: the one file that uses yagmail, and only its way of connecting.

Stands at the end of step 6 of a job's life; nothing comes after it. yagmail's own `send` is never called: it attaches
the file when a text is the path of one, fetches style sheets named in it, and sleeps and answers False on failure.
"""

import contextlib
import smtplib
import socket
import ssl
import time
from functools import cached_property

import yagmail

from errand.errors import MailDeferred, MailServerAway
from workers.mail.sending.connection import EncryptedConnection, PlainConnection
from workers.mail.sending.mail_server import MailServer
from workers.mail.sending.smtp_replies import answered, told, verdict_on
from workers.mail.sending.transaction import MAIL, MailTransaction, NotTaken
from workers.mail.writing.mime import OutgoingMail

IDLE_SECONDS = 10.0
"""How long an open connection is kept for the next letter."""

LETTER_PATIENCE = 6
"""How many times as long as for the other answers to wait for the one to a whole letter."""


class _Client(yagmail.SMTP):  # type: ignore[misc]  # it has no annotations
    """yagmail's way of connecting, on connections whose answers have an end."""

    @property
    def connection(self) -> type[PlainConnection]:
        return EncryptedConnection if self.ssl else PlainConnection


class Mailer:
    """Sends letters one after the other, over one connection while that is healthy. Not for several threads at once."""

    def __init__(self, smtp_url: str, timeout: float = 20.0, context: ssl.SSLContext | None = None) -> None:
        """Connect to nothing yet. `timeout` is in seconds, for each reply; raise SettingsRefused for a bad SMTP_URL."""
        self._server = MailServer.at(smtp_url)
        self._timeout = timeout
        self._given_context = context
        self._connection: _Client | None = None
        self._used_at = 0.0
        self._clean = False

    @property
    def connected(self) -> bool:
        """Tell whether it holds a connection that can be used for a while."""
        return self._connection is not None and time.monotonic() - self._used_at <= IDLE_SECONDS

    def send(self, mail: OutgoingMail) -> None:
        """Hand the mail to the server.

        Raises MailRefused (never again; its field `too_large` tells whether a shorter one may be taken), MailDeferred
        (try again later), and of these MailServerAway where it isn't about this letter: no other would have been taken
        either.
        """
        transaction = MailTransaction(mail.mail_from, mail.to, mail.content)
        try:
            self._hand_over(transaction)
        except NotTaken as answer:
            if not answer.understood:
                self._drop()  # who knows which question the next answer would be to
            raise verdict_on(answer) from None
        except smtplib.SMTPResponseException as refusal:  # to our greeting or login
            self._drop()
            busy = 400 <= refusal.smtp_code < 500
            raise MailServerAway(answered(refusal.smtp_code, refusal.smtp_error), busy=busy) from None
        except (OSError, smtplib.SMTPException) as failure:
            self._drop()
            error = MailDeferred if transaction.opened else MailServerAway
            raise error(told(failure)) from None
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

    def _hand_over(self, transaction: MailTransaction) -> None:
        patience = LETTER_PATIENCE * self._timeout
        if open_one := self._open_one():
            try:
                return self._conversed(transaction, open_one, patience)
            except NotTaken as answer:
                # it has had enough of this connection, and has seen nothing of the letter yet
                if answer.step != MAIL or not 400 <= answer.code < 500:
                    raise
            except (OSError, smtplib.SMTPException):
                if transaction.opened:
                    raise  # it may have arrived, so it isn't begun again
                # the connection went while it was idle
        return self._conversed(transaction, self._connect(), patience)

    def _conversed(self, transaction: MailTransaction, smtp: smtplib.SMTP, patience: float) -> None:
        self._clean = False
        transaction.hand_over(smtp, patience)
        self._clean = True

    def _open_one(self) -> smtplib.SMTP | None:
        """Give the open connection, if there is one that can be used."""
        if self._connection is None or not self.connected:
            self.close()
            return None
        smtp: smtplib.SMTP = self._connection.smtp
        if self._clean:
            return smtp  # whether it still answers is seen at MAIL, without a question of its own
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.rset()[0] == 250:  # whatever was left of a letter that wasn't taken is gone with it
                return smtp
        return None

    def _connect(self) -> smtplib.SMTP:
        self._drop()
        server = self._server
        tls = {"context": self._context} if server.ssl or server.starttls else {}
        self._connection = _Client(
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


def _own_name() -> str:
    # what smtplib would find, without asking a name server at each connection
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
