"""A real mail server for tests: it keeps its mails, and misbehaves on request.

It runs aiosmtpd in a thread on a free port. The openssl command makes certificates when a test asks for one.
"""

import asyncio
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

HAS_OPENSSL = shutil.which("openssl") is not None


@dataclass(frozen=True)
class Caught:
    """One accepted mail: its envelope, its parsed message and its bytes."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    content: bytes
    at: float = field(default_factory=time.time)
    """Time of acceptance, in seconds since 1970."""

    @property
    def text(self) -> str:
        """The text part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"no {kind} part"
        return part.get_content().replace("\r\n", "\n")


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key, as files. One that has expired did so yesterday."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, *names: str, expired: bool = False) -> Self:
        """Make one for `names` (default: localhost and 127.0.0.1)."""
        folder.mkdir(exist_ok=True)
        made = cls(folder / "certificate.pem", folder / "key.pem")
        alternatives = ",".join(f"DNS:{name}" for name in names) or "DNS:localhost,IP:127.0.0.1"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={alternatives}"]
        subprocess.run([*command, "-keyout", made.key, "-out", made.certificate], check=True, capture_output=True)
        if expired:
            # from now till now: OpenSSL 3.4 and later refuse a number of days below 0
            again = ["openssl", "x509", "-in", made.certificate, "-signkey", made.key, "-days", "0"]
            subprocess.run([*again, "-out", made.certificate], check=True, capture_output=True)
        return made

    def for_server(self) -> ssl.SSLContext:
        """Return the context of a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def for_client(self) -> ssl.SSLContext:
        """Return the context of a client that trusts it, and only it."""
        return ssl.create_default_context(cafile=str(self.certificate))


HANG, DROP, FLOOD = "(hangs)", "(drops)", "(floods)"
"""Answers to a step other than a line: silence, the end of the connection, or continuation lines without end."""

Answer = str | Callable[[str], str | None]


def once(answer: str, to: str = "") -> Callable[[str], str | None]:
    """Give this answer only once, and only if `to` is in the argument; otherwise the usual one."""
    left = [answer]
    return lambda argument: left.pop() if left and to in argument else None


@dataclass
class SmtpSink:
    """A mail server, running while its `with` block does. Its switches may be turned at any time.

    `answers` maps a step (`CONNECT`, `MAIL`, `RCPT`, `DATA`, `RSET`) to the line that answers it instead of the usual
    one, to HANG, DROP or FLOOD, or to a function that is asked with the command's argument and gives one of these, or
    None for the usual. A letter is judged with `DATA`, and once it is kept with `KEPT`; both are asked with its
    recipient.
    `hang_at` and `drop_at` name commands, or `CONNECT`, at which the server falls silent or breaks off; `DATA` means
    after the letter was kept. `delay` seconds pass before each letter is answered, `slow` before every answer.
    `most_connections` may be open at a time, `letters_each` be sent on each. Letters of more than `most_bytes` are
    refused when they are there; `announced_bytes` is what it tells before.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    hang_at: str | None = None
    drop_at: str | None = None
    delay: float = 0.0
    slow: float = 0.0
    most_connections: int | None = None
    letters_each: int | None = None
    most_bytes: int | None = None
    announced_bytes: int = 33_554_432
    tls: Certificate | None = None
    implicit_tls: bool = False
    login: tuple[str, str] | None = None

    messages: list[Caught] = field(default_factory=list, init=False)
    commands: list[str] = field(default_factory=list, init=False)
    """Command lines as they came in."""
    logins: list[tuple[str, str]] = field(default_factory=list, init=False)
    greetings: set[str] = field(default_factory=set, init=False)
    """Users and passwords as they were shown."""
    received: bytearray = field(default_factory=bytearray, init=False)
    """All bytes that came in, those inside TLS included."""
    connections: int = field(default=0, init=False)
    arrived: list[str] = field(default_factory=list, init=False)
    """Recipients of all letters that came in whole, also of those that were not kept."""

    def __enter__(self) -> Self:
        """Listen."""
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.BaseTransport] = set()
        self._held: dict[str, asyncio.Event] = {}
        # all in that thread: the browser's tests have a loop of their own running in this one
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listen(0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections and stop."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it listens, as SMTP_URL; with the user and the password it asks for."""
        login = "{}:{}@".format(*self.login) if self.login else ""
        return f"smtp{'s' if self.implicit_tls else ''}://{login}127.0.0.1:{self.port}"

    def wait_for(self, count: int, timeout: float = 10.0) -> list[Caught]:
        """Return the first `count` mails as soon as they are there; raise AssertionError after `timeout` seconds."""
        self.wait_until(lambda: len(self.messages) >= count, timeout)
        return self.messages[:count]

    def wait_until(self, holds: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until something holds; looked at whenever a line or a mail came in, or a connection ended."""
        with self._changed:
            assert self._changed.wait_for(holds, timeout), f"it never held; {len(self.messages)} mails, {self.commands}"

    def hang_up(self) -> None:
        """Close every open connection, and wait until they are closed."""

        async def break_off() -> None:
            for transport in tuple(self._open):
                transport.abort()  # type: ignore[attr-defined]  # every stream transport can

        asyncio.run_coroutine_threadsafe(break_off(), self._loop).result(5)
        self.wait_until(lambda: not self._open)

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Break off everything and refuse connections, for the duration of a `with`."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.hang_up()
        try:
            yield
        finally:
            self._listen(self.port)

    @contextmanager
    def holding(self, recipient: str) -> Iterator[None]:
        """Answer no letter to this recipient before the end of the `with`; one whose connection ends is not kept."""
        self._held[recipient] = asyncio.Event()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._held.pop(recipient).set)

    def behave(self) -> None:
        """Turn all switches off."""
        self.answers.clear()
        self.hang_at = self.drop_at = self.most_connections = self.letters_each = self.most_bytes = None
        self.delay = self.slow = 0.0

    def to(self, recipient: str) -> list[Caught]:
        """Return the mails that one recipient got."""
        return [mail for mail in tuple(self.messages) if mail.recipients == [recipient]]

    def answer_to(self, step: str, argument: str) -> str | None:
        """Tell what a step is to be answered with, if it isn't the usual."""
        answer = self.answers.get(step)
        return answer(argument) if callable(answer) else answer

    async def handle_DATA(self, server: "_Conversation", session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keep one mail, unless a switch says otherwise."""
        to = envelope.rcpt_tos[0]
        self.note(lambda: self.arrived.append(to))
        self.greetings.add(session.host_name)
        await asyncio.sleep(self.delay)
        if gate := self._held.get(to):
            await gate.wait()
        if (answer := self.answer_to("DATA", to)) is not None:
            await server.obey(answer)
            return answer
        content = envelope.original_content or b""
        if self.most_bytes is not None and len(content) > self.most_bytes:
            return "552 5.3.4 Message too big"
        message = message_from_bytes(content, policy=default)
        with self._changed:
            self.messages.append(Caught(envelope.mail_from or "", list(envelope.rcpt_tos), message, content))
            self._changed.notify_all()
        await server.misbehave("DATA")
        if (answer := self.answer_to("KEPT", to)) is None:
            return "250 Taken"
        await server.obey(answer)
        return answer

    def note(self, change: Callable[[], object]) -> None:
        """Change something others may wait for."""
        with self._changed:
            change()
            self._changed.notify_all()

    def opened(self, transport: asyncio.BaseTransport) -> bool:
        """Count a connection, and tell whether it is one too many."""
        self.connections += 1
        self._open.add(transport)
        return self.most_connections is not None and len(self._open) > self.most_connections

    def ended(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection."""
        self.note(lambda: self._open.discard(transport))

    def check(self, server: Any, session: Any, envelope: Any, mechanism: str, shown: LoginPassword) -> AuthResult:
        """Judge a login."""
        pair = (shown.login.decode(), shown.password.decode())
        self.logins.append(pair)
        return AuthResult(success=pair == self.login, handled=False)

    def _listen(self, port: int) -> None:
        context = self.tls.for_server() if self.tls and self.implicit_tls else None
        listening = self._loop.create_server(lambda: _Conversation(self), "127.0.0.1", port, ssl=context)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(5)

    async def _stop(self) -> None:
        self._server.close()
        for transport in tuple(self._open):
            transport.abort()  # type: ignore[attr-defined]  # every stream transport can
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Conversation(SMTP):
    """One connection: aiosmtpd's own, which looks at the sink's switches before it answers."""

    def __init__(self, sink: SmtpSink) -> None:
        super().__init__(
            sink,
            hostname="sink.test",
            data_size_limit=sink.announced_bytes,
            tls_context=sink.tls.for_server() if sink.tls and not sink.implicit_tls else None,
            authenticator=sink.check if sink.login else None,
            auth_required=sink.login is not None,
            auth_require_tls=sink.tls is not None and not sink.implicit_tls,
        )
        self.sink = sink

    def connection_made(self, transport: Any) -> None:
        if self.transport is None:  # otherwise it is the same one, now inside TLS
            self.too_many = self.sink.opened(transport)
            self.first_transport = transport
            self.letters = 0
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.ended(self.first_transport)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self.sink.received += data
        super().data_received(data)

    async def push(self, status: Any) -> None:
        await asyncio.sleep(self.sink.slow)
        if str(status).startswith("220 sink.test"):
            await self.misbehave("CONNECT")
            answer = "421 4.7.0 Too many connections" if self.too_many else self.sink.answer_to("CONNECT", "")
            if answer is not None:
                await self.obey(answer)
                status = answer
        await super().push(status)

    async def misbehave(self, command: str) -> None:
        """Fall silent or break off, if a switch says so."""
        if self.sink.hang_at == command:
            await self.obey(HANG)
        if self.sink.drop_at == command:
            await self.obey(DROP)

    async def obey(self, answer: str) -> None:
        """Fall silent, break off or talk without end, if that is the answer."""
        if answer == DROP:
            self.transport.abort()
        while answer == FLOOD and not self.transport.is_closing():
            self._writer.write(b"250-and another line\r\n" * 1000)
            await self._writer.drain()
            await asyncio.sleep(0)  # or it would never be told that the connection is gone
        if answer in (HANG, DROP, FLOOD):
            await asyncio.Event().wait()  # aiosmtpd ends this task when it sees that the connection is gone

    async def _answer(self, command: str, line: str, usual: Callable[[str], Any]) -> None:
        self.sink.note(lambda: self.sink.commands.append(f"{command} {line or ''}".strip()))
        if command != "DATA":  # those are for after the letter
            await self.misbehave(command)
            answer = self._full(command) or self.sink.answer_to(command, line or "")
            if answer is not None:
                await self.obey(answer)
                await self.push(answer)
                return
        await usual(line)

    def _full(self, command: str) -> str | None:
        self.letters += command == "MAIL"
        most = self.sink.letters_each
        return "421 4.7.0 Too many letters" if most is not None and command == "MAIL" and self.letters > most else None

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        await self._answer("MAIL", arg, super().smtp_MAIL)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        await self._answer("RCPT", arg, super().smtp_RCPT)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        await self._answer("DATA", arg, super().smtp_DATA)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        await self._answer("RSET", arg, super().smtp_RSET)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802 -- aiosmtpd's name
        await self._answer("QUIT", arg, super().smtp_QUIT)
