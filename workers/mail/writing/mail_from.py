"""Reads MAIL_FROM, the address that mails come from."""

from email.headerregistry import Address
from email.utils import getaddresses
from functools import lru_cache

from errand.errors import SettingsRefused
from schemas.address import is_address


@lru_cache(maxsize=8)
def read_mail_from(setting: str) -> Address:
    """Read `Name <name@example.com>` or a bare address; raise SettingsRefused for anything else."""
    (name, address), *others = getaddresses([setting]) or [("", "")]
    if others or not is_address(address) or not setting.isprintable():
        raise SettingsRefused("MAIL_FROM: write it as `Name <name@example.com>`")
    return Address(name, addr_spec=address)
