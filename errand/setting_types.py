"""The kinds of text that a setting may hold: addresses of servers, lists separated by commas, secrets.

Each check raises ValueError with the sentence that the operator reads after the name of the setting.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from stat import S_ISDIR
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from errand.public_url import checked_public_url
from errand.trust.recipients import parse_domains
from errand.trust.signing import parse_keys
from errand.trust.web_origins import parse_hosts, parse_origins

MAX_PORT: Final = 65535
_LISTEN_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_WEB_ADDRESS: Final = re.compile(r"(?:[^:\s]+:)?(?P<port>[0-9]{1,5})")


def split_list(text: str) -> list[str]:
    """Split a list separated by commas; spaces around its items and empty items are dropped."""
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Read networks in CIDR notation, separated by commas."""
    return [_network(item) for item in split_list(text)]


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as fault:
        raise ValueError(f"must be networks such as 10.0.0.0/8, separated by commas: {str(fault)[:120]}") from None


def _url(*schemes: str, separator: str | None = None) -> AfterValidator:
    """Check a server's URL; with a `separator`, each of several."""

    def check(text: str) -> str:
        for url in text.split(separator) if separator else [text]:
            _check_server(url.strip(), schemes)
        return text

    return AfterValidator(check)


def _check_server(url: str, schemes: tuple[str, ...]) -> None:
    scheme, _, rest = url.partition("://")
    if scheme not in schemes or not rest:
        raise ValueError(f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}")
    try:
        parts = urlsplit(url)
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    if not is_port or any(character.isspace() for character in url):
        raise ValueError(
            "can't be read: a port is a number from 1 to 65535, an IPv6 address is in brackets, and special "
            "characters of a password are percent-encoded (`/` is %2F)"
        )
    if scheme == "unix" and not parts.path.strip("/"):
        raise ValueError("must name the file of the socket: unix:///run/redis.sock")
    if scheme in ("redis", "rediss") and not re.fullmatch(r"(/\d*)?", parts.path):
        raise ValueError("must end with the number of a database, such as /0")


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    """Check a text with its parser, and keep the text."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _check_host(host: str) -> str:
    """Check an address to listen on: a name or an IP address, without scheme, port and brackets."""
    if ":" in host:
        try:
            IPv6Address(host)
        except ValueError:
            raise ValueError("must be a host name or an IP address only; the port goes into PORT") from None
    elif not _LISTEN_HOST.fullmatch(host):
        raise ValueError("must be a host name or an IP address, such as 127.0.0.1, 0.0.0.0 or ::")
    return host


def _check_module_list(text: str) -> str:
    """Check dotted names, separated by commas; whether such modules exist shows when they are loaded."""
    for name in split_list(text):
        if not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f"must be dotted names of modules, separated by commas; {name[:80]!r} is none")
    return text


def _check_web_address(text: str) -> str:
    """Check `host:port`, or a port alone."""
    match = _WEB_ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > MAX_PORT:
        raise ValueError(f"must be host:port, or only a port for all addresses; a port is at most {MAX_PORT}")
    return text


def _check_folder(text: str) -> str:
    try:
        # Python 3.14's `exists` no longer raises for a name that is too long
        is_other = bool(text) and not S_ISDIR(Path(text).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_other = False
    except OSError as fault:
        raise ValueError(f"can't be used: {fault.strerror}") from None
    if is_other:
        raise ValueError("must be a folder")
    return text


def _check_secrets(secrets: SecretStr) -> SecretStr:
    parse_keys(secrets.get_secret_value())
    return secrets


BrokerUrl = Annotated[str, _url("amqp", "amqps", "pyamqp", "redis", "rediss", separator=";")]
StoreUrl = Annotated[str, _url("redis", "rediss", "unix")]
MailServerUrl = Annotated[str, _url("smtp", "smtps")]
Domains = Annotated[str, _readable_by(parse_domains)]
Networks = Annotated[str, _readable_by(parse_networks)]
HostNames = Annotated[str, _readable_by(parse_hosts)]
Origins = Annotated[str, _readable_by(parse_origins)]
SigningSecrets = Annotated[SecretStr, AfterValidator(_check_secrets)]
PublicUrl = Annotated[str, AfterValidator(checked_public_url)]
Host = Annotated[str, AfterValidator(_check_host)]
ModuleList = Annotated[str, AfterValidator(_check_module_list)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
Folder = Annotated[str, AfterValidator(_check_folder)]
