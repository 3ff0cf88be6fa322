"""Decides which IP addresses may be connected to: public ones, and those that the operator allows (GUARD_ALLOW).

The API refuses URLs with private addresses; `workers/outbound/address_guard.py` checks every address that a host name
resolves to.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; metadata of Alibaba Cloud
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host services, although the address looks public
            "169.254.0.0/16",  # link-local; metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # protocols, Teredo
            "2001:db8::/32",
            "2002::/16",  # 6to4: holds an IPv4 address
            "3fff::/20",
        ),
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
"""All public addresses; loopback, local, mapped, NAT64 and multicast addresses lie outside."""


class Networks:
    """The addresses that may be connected to: public ones, and those that the operator allows."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        """Allow these networks although they aren't public."""
        self._allowed = tuple(allowed)

    def permits(self, address: str) -> bool:
        """Return whether this IP address may be connected to; False for anything but an IP address."""
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if any(ip in network for network in self._allowed):
            return True
        if isinstance(ip, IPv6Address) and ip not in _PUBLIC_V6:
            return False
        return not any(ip in network for network in _NOT_PUBLIC)
