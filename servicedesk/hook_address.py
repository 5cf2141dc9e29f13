"""Which addresses a webhook may name: public ones, over TLS, and what the operator has allowed beside them.

A name is judged by what it resolves to, once when it is registered and again at every connection, where the judged
address itself is connected to: a name that answers with another address a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from servicedesk.errors import WordedError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses; raises OSError."""

_LONGEST = 2000
_PORTS = 65_536
# Beyond what the library calls not global: ways to carry an IPv4 address inside an IPv6 one (RFC 4291, 6052, 8215,
# 3056, 4380), relays (RFC 7526), protocols' own (RFC 6890), and the address at which one cloud answers its machines.
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "fec0::/10",
    )
)


class AddressError(WordedError):
    """An address to which nothing is sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect to.

    Attributes:
        tls: whether over TLS.
        host: as it was written; for `Host` and the certificate.
        port: its port.
        path: with the query.
    """

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As `Host` says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read_allowed(text: str) -> tuple[Network, ...]:
    """Networks by commas: `10.20.0.0/16, fd00:1::/64`.

    Raises:
        AddressError: one is none.
    """
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as cause:
        raise AddressError("WELLKEPT_WEBHOOK_ALLOW names networks, as 10.20.0.0/16: {why}", why=cause) from cause


def read_target(url: str) -> Target:
    """The parts of an address.

    Raises:
        AddressError: it is not one that anything is sent to.
    """
    if len(url) > _LONGEST or not url.isascii() or any(each <= " " or each in "\\\x7f" for each in url):
        raise AddressError("an address has at most 2,000 characters, none of them a space, a backslash or beyond ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as cause:
        raise AddressError("this is not an address") from cause
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise AddressError("the address begins with https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise AddressError("an address carries no user and no password: what is sent is signed")
    if parts.fragment:
        raise AddressError("an address ends before the #")
    if port is not None and not 0 < port < _PORTS:
        raise AddressError("this is not a port")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, parts.hostname, port or (443 if tls else 80), path)


def judge(target: Target, resolve: Resolve, allowed: Sequence[Network]) -> list[str]:
    """The addresses that may be connected to, in the resolver's order.

    Args:
        target: where to.
        resolve: asks the name service.
        allowed: networks that are trusted though not public; there TLS is not asked for.

    Raises:
        AddressError: one of them is not public, or none is known.
    """
    try:
        found = list(dict.fromkeys(resolve(target.host, target.port)))
    except (OSError, UnicodeError) as cause:
        raise AddressError("{host} is not known to the name service", host=target.host) from cause
    if not found:
        raise AddressError("{host} has no address", host=target.host)
    trusted = True
    for each in found:
        ip = plain(each)
        if any(ip.version == network.version and ip in network for network in allowed):
            continue
        trusted = False
        if not is_public(ip):
            # Which address it was is not said: nobody shall map our network with it.
            raise AddressError(
                "{host} is not at a public address; nothing is sent into private networks", host=target.host
            )
    if not target.tls and not trusted:
        raise AddressError("the address begins with https://; what is sent goes through foreign networks")
    return [str(plain(each)) for each in found]


def plain(text: str) -> Ip:
    """An address without its zone; an IPv4 address inside an IPv6 one as what it is."""
    ip = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def is_public(ip: Ip) -> bool:
    """Whether an address is one of the internet's."""
    if any(ip.version == network.version and ip in network for network in _NEVER):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified
