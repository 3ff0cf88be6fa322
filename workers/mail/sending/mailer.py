"""Sends mails through a mail server: the only file that uses yagmail, and that only to connect and log in.

A job comes from `workers/mail/delivery.py`. yagmail's own `send` is never called: it attaches a file if a text is the
path of one, fetches style sheets that a text links to, and on failure sleeps and returns False. Next:
`transaction.py`.
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
from workers.mail.sending.smtp_replies import error_for, failure_text, reply_text
from workers.mail.sending.transaction import MAIL, MailTransaction, UnexpectedReply
from workers.mail.writing.mime import OutgoingMail

IDLE_SECONDS = 10.0
"""How long an open connection is kept for the next mail."""

CONTENT_PATIENCE = 6
"""How many times the timeout to wait for the reply to a mail's content."""


class _YagmailClient(yagmail.SMTP):  # type: ignore[misc]  # it has no annotations
    """yagmail's client, on connections that limit the length of a reply."""

    @property
    def connection(self) -> type[PlainConnection]:
        return EncryptedConnection if self.ssl else PlainConnection


class Mailer:
    """Sends mails one after the other, over one connection while that is healthy. Not for several threads at once."""

    def __init__(
        self, smtp_url: str, timeout: float = 20.0, context: ssl.SSLContext | None = None, domain: str = ""
    ) -> None:
        """Connect to nothing yet. `timeout` is in seconds, for each reply; raise SettingsRefused for a bad SMTP_URL.

        `domain` is the one that mails come from: it greets the server where this machine's own name has no domain.
        """
        self._server = MailServer.at(smtp_url)
        self._timeout = timeout
        self._given_context = context
        self._own_name = own_name(socket.gethostname(), domain)
        self._connection: _YagmailClient | None = None
        self._used_at = 0.0
        self._clean = False

    @property
    def connected(self) -> bool:
        """Whether it holds a connection that the next mail can use."""
        return self._connection is not None and time.monotonic() - self._used_at <= IDLE_SECONDS

    def send(self, mail: OutgoingMail) -> None:
        """Hand the mail to the server.

        Raises MailRefused (never try again; its field `too_large` says whether a smaller mail may be taken),
        MailDeferred (try again later), and MailServerAway, a MailDeferred, if no other mail would have been taken.
        """
        transaction = MailTransaction(mail)
        try:
            self._hand_over(transaction)
        except UnexpectedReply as reply:
            if not reply.understood:
                self._drop()  # the next reply might belong to this command
            raise error_for(reply) from None
        except smtplib.SMTPResponseException as refusal:  # of our greeting or login
            self._drop()
            busy = 400 <= refusal.smtp_code < 500
            raise MailServerAway(reply_text(refusal.smtp_code, refusal.smtp_error), busy=busy) from None
        except (OSError, smtplib.SMTPException) as failure:
            self._drop()
            error = MailDeferred if transaction.opened else MailServerAway
            raise error(failure_text(failure)) from None
        except BaseException:
            self._drop()  # stopped in the middle of a conversation that can't be resumed
            raise
        finally:
            self._used_at = time.monotonic()

    def close(self) -> None:
        """Say QUIT if connected, without waiting for the reply."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.smtp.putcmd("quit")
            self._drop()

    def _hand_over(self, transaction: MailTransaction) -> None:
        patience = CONTENT_PATIENCE * self._timeout
        if smtp := self._open_connection():
            try:
                return self._converse(transaction, smtp, patience)
            except UnexpectedReply as reply:
                # the server may only want another connection, and has seen nothing of the mail yet
                if reply.step != MAIL or not 400 <= reply.code < 500:
                    raise
            except (OSError, smtplib.SMTPException):
                if transaction.opened:
                    raise  # the mail may have arrived, so it isn't sent again
                # the server closed the connection while it was idle
        return self._converse(transaction, self._connect(), patience)

    def _converse(self, transaction: MailTransaction, smtp: smtplib.SMTP, patience: float) -> None:
        self._clean = False
        transaction.hand_over(smtp, patience)
        self._clean = True

    def _open_connection(self) -> smtplib.SMTP | None:
        """Return the open connection, if there is one that can be used."""
        if self._connection is None or not self.connected:
            self.close()
            return None
        smtp: smtplib.SMTP = self._connection.smtp
        if self._clean:
            return smtp  # MAIL will show whether the server still answers
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.rset()[0] == 250:  # the server has forgotten the mail that it didn't take
                return smtp
        return None

    def _connect(self) -> smtplib.SMTP:
        self._drop()
        server = self._server
        tls = {"context": self._context} if server.ssl or server.starttls else {}
        self._connection = _YagmailClient(
            # a dict, as a text without "@" would become an address at gmail.com; never None, which reads ~/.yagmail
            user={server.user or "": ""},
            # never None with a login, as yagmail would ask the keyring and then the terminal
            password=server.password,
            host=server.host,
            port=server.port,
            smtp_ssl=server.ssl,
            smtp_starttls=tls if server.starttls else False,
            smtp_skip_login=server.user is None,
            soft_email_validation=False,
            timeout=self._timeout,
            local_hostname=self._own_name,
            **(tls if server.ssl else {}),
        )
        self._connection.set_logging(None)  # yagmail would print to stderr
        self._connection.login()
        self._used_at = time.monotonic()
        smtp: smtplib.SMTP = self._connection.smtp
        return smtp

    def _drop(self) -> None:
        """Close the connection without a QUIT: the server may be silent, and nobody should wait for it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.is_closed = True  # or it would say QUIT and wait when it is garbage-collected
            if connection.smtp is not None:
                connection.smtp.close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._given_context or ssl.create_default_context()


def own_name(machine: str, domain: str) -> str:
    """Return the name to greet a server with (RFC 5321, 4.1.1.1): no name server is asked at each connection.

    Many servers refuse an address literal, so it is the last choice.
    """
    return next((name for name in (machine, domain) if "." in name), "[127.0.0.1]")
