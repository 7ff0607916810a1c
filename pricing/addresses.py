"""Which addresses a price source may be fetched from: https, to hosts of the public internet. Pure but for `resolve`.

A price source never gets RATECARD_PRIVATE_HOSTS: its address comes with the code or out of a redirect, so nobody
of this installation vouches for it. A connection does: whoever runs the installation names those hosts, and they may
be asked over http too.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from pricing.failures import SourceFailure

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
Allow = Callable[[Address], bool]

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
# Parts of the public ranges that lead elsewhere, in every Python from 3.11 on.
_NOT_PUBLIC: Final = (
    IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("2001::/23"), IPv6Network("3fff::/20"),
)  # fmt: skip
_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads: the host in lower case and the port."""

    host: str
    port: int
    scheme: str = "https"

    @property
    def has_usual_port(self) -> bool:
        return self.port == (443 if self.scheme == "https" else 80)


def target(url: str, private: Collection[str] = ()) -> Target:
    """The host and port of an https address, or of an http one at a private host; `SourceFailure` for any other."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise SourceFailure("bad_url", f"{shown(url)} is not an address.") from None
    if "\\" in url or not url.isprintable() or " " in url:
        raise SourceFailure("bad_url", f"{shown(url)!r} holds a sign that no address has.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in private):
        raise SourceFailure("bad_url", f"{shown(url)} is not an https address; nothing else is fetched.")
    if not host or "%" in host:
        raise SourceFailure("bad_url", f"{shown(url)} names no host.")
    if parts.username is not None or parts.password is not None:
        raise SourceFailure(
            "bad_url", f"An address of {host} carries a user or a password: leave them out, keys are given apart."
        )
    return Target(host, port or (443 if parts.scheme == "https" else 80), parts.scheme)


def shown(url: str) -> str:
    """An address as it may be written into a log: without its query, which may hold a key, and not endless."""
    return url.partition("?")[0].partition("#")[0][:200]


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        # A mapped, NAT64 or 6to4 address is as public as the IPv4 address inside; Teredo's inside is anybody's guess.
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address in _SIX_TO_FOUR:
            return address.sixtofour is not None and is_public(address.sixtofour)
        if address.scope_id is not None or address not in _GLOBAL_UNICAST:
            return False
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host as the system's resolver knows it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def checked(where: Target, *, resolve: Resolve = resolve, allow: Allow = is_public) -> list[str]:
    """The addresses of a host, asked for once, all of them allowed: whoever connects, connects to one of these."""
    try:
        names = list(resolve(where.host, where.port))
    except (OSError, UnicodeError) as fault:
        reason = getattr(fault, "strerror", None) or "the name cannot be asked for"
        raise SourceFailure("dns", f"{where.host} has no address: {reason}.", permanent=False) from None
    if not names:
        raise SourceFailure("dns", f"{where.host} has no address.", permanent=False)
    for name in names:
        _refuse_private(where.host, name, allow)
    return names


def refuse_literal(where: Target, *, allow: Allow = is_public) -> None:
    """Where a proxy resolves: refuse a private address written out, in any spelling, and names of this network."""
    literal = _literal(where.host)
    if literal is not None:
        _refuse_private(where.host, literal, allow)
    elif "." not in where.host or where.host.endswith(_LOCAL_NAMES):
        raise SourceFailure(
            "private_address", f"{where.host} is a name of this network; only what is outside is fetched."
        )


def _literal(host: str) -> str | None:
    with suppress(ValueError):
        return str(ip_address(host))
    # 2130706433, 0x7f.1 and 017700000001 are spellings of 127.0.0.1 to whoever connects.
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


def _refuse_private(host: str, name: str, allow: Allow) -> None:
    try:
        allowed = allow(ip_address(name))
    except ValueError:
        allowed = False
    if not allowed:
        raise SourceFailure(
            "private_address",
            f"{host} leads to {name}, which is not on the public internet; only from there is anything fetched.",
        )
