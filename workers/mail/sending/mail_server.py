"""The mail server's address and login, read from SMTP_URL."""

from dataclasses import dataclass
from typing import Self
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
