"""The mail server: where it is and how to log in there, read from SMTP_URL, and whether it takes mails at all.

Stands beside step 6 of a job's life: `mailer.py` connects there, `workers/mail/sender.py` asks whether to.
"""

from dataclasses import dataclass
from time import monotonic
from typing import Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from errand.errors import SettingsRefused


@dataclass(frozen=True, slots=True)
class MailServer:
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


SENDERS: Final = 4
"""Connections to the mail server at most, of one mail worker."""
LONGEST_AWAY_SECONDS: Final = 15.0
"""How long a mail server that is away is left alone at most before one mail tries it again."""
NARROW_SECONDS: Final = 60.0
"""How long fewer connections are used after the server had too many."""


class ServerHealth:
    """Whether the mail server takes mails: while it doesn't, one mail tries it now and then and all others wait.

    So an outage of hours costs no mail its patience, and when it is over all of them go out at once.
    """

    def __init__(self, pause: float) -> None:
        """Leave it alone for `pause` seconds at first, then longer each time."""
        self._first = self._pause = pause
        self._tried_at = self._narrow_until = 0.0
        self._in_doubt = False
        self._width = SENDERS

    def senders(self) -> int:
        """Tell how many may be at work now."""
        now = monotonic()
        if self._in_doubt:
            return 1 if now >= self._tried_at else 0
        if now >= self._narrow_until:
            self._width = SENDERS
        return self._width

    def answered(self) -> None:
        """Note that it took a mail, or said something about one."""
        self._in_doubt, self._pause = False, self._first

    def failed(self, busy: bool) -> float:
        """Note that it took nothing, and give the seconds until it is tried again. `busy`: it had us come later."""
        if busy and self._width > 1:  # the others may be what it is busy with
            self._width, self._narrow_until = self._width - 1, monotonic() + NARROW_SECONDS
            return self._first
        if self.senders():  # the first to see it, of several that came in vain
            pause, self._pause = self._pause, min(self._pause * 2, LONGEST_AWAY_SECONDS)
            self._in_doubt, self._tried_at = True, monotonic() + pause
        return max(self._tried_at - monotonic(), 0.05)
