"""Writes international host names as DNS has them: UTS 46 and IDNA 2008, the same for mails, webhooks and `fetch`.

Names that differ only in old ways to read them, such as `straße` and `strasse`, belong to different owners.
"""

from typing import Final

NO_HOST: Final = "is not a valid host name"


def ascii_host(host: str) -> str:
    """Return a host name in ASCII: in lower case, and each international label as `xn--…`.

    A name in ASCII may be anything: who uses it checks it. Raises ValueError if an international name is not valid.
    """
    if host.isascii():
        return host.lower()
    import idna  # large tables, which few hosts need

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError(NO_HOST) from None
