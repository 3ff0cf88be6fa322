"""The kinds of text that a setting may hold: addresses of servers, lists separated by commas, secrets.

Each check raises ValueError with the sentence that the operator reads after the name of the setting.
"""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from errand.trust.recipients import parse_domains
from errand.trust.signing import parse_keys


def split_list(text: str) -> list[str]:
    """Split a list separated by commas; spaces around its items and empty items are dropped."""
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Read networks in CIDR notation, separated by commas."""
    return [ip_network(item) for item in split_list(text)]


def _url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        scheme, _, rest = url.partition("://")
        if scheme not in schemes or not rest:
            raise ValueError(f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}")
        return url

    return AfterValidator(check)


def _readable_by(parse: Callable[[str], object]) -> AfterValidator:
    """Check a text with its parser, and keep the text."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _check_secrets(secrets: SecretStr) -> SecretStr:
    parse_keys(secrets.get_secret_value())
    return secrets


BrokerUrl = Annotated[str, _url("amqp", "amqps", "pyamqp", "redis", "rediss")]
StoreUrl = Annotated[str, _url("redis", "rediss", "unix")]
MailServerUrl = Annotated[str, _url("smtp", "smtps")]
Domains = Annotated[str, _readable_by(parse_domains)]
Networks = Annotated[str, _readable_by(parse_networks)]
SigningSecrets = Annotated[SecretStr, AfterValidator(_check_secrets)]
