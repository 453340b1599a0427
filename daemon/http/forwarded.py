"""Who really asks, where a proxy is in between: X-Forwarded-… and Forwarded, of proxies that are trusted alone."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from aiohttp import web

IpAddress = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

SIGNS: Final = frozenset({"x-real-ip", "forwarded", "via", "cf-connecting-ip", "true-client-ip"})
"""What a proxy adds, in small letters, beside everything that begins with x-forwarded-."""
CLIENT_BITS: Final = 64
"""Of an IPv6 address: each customer has at least so many, and may use any of the addresses below."""

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def address_of(text: str) -> IpAddress | None:
    """The address; IPv4 where it is written as IPv6 (a socket for both families gives it so). None where it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def within(address: IpAddress | None, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether the address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def from_trusted(request: web.Request, trusted: Networks) -> bool:
    """Whether a trusted proxy has passed it on."""
    return bool(trusted) and within(address_of(request.remote or ""), trusted)


def passed_a_proxy(request: web.Request, trusted: Networks) -> bool:
    """Whether anything says that it was passed on. That nothing does proves nothing: proxies may add no header."""
    return any(map(_is_sign, request.headers)) or from_trusted(request, trusted)


@lru_cache(maxsize=256)
def _is_sign(name: str) -> bool:
    lower = name.lower()
    return lower in SIGNS or lower.startswith("x-forwarded")


def client_of(request: web.Request, trusted: Networks) -> str:
    """The address of who asks: behind trusted proxies the last one that no trusted proxy has, as they tell it.

    Read from the right, for what stands on the left is the client's own word. Where the proxies' word is in doubt
    (both headers that do not agree, or no address) it is the proxy's address.
    """
    peer = address_of(request.remote or "")
    if peer is None or not from_trusted(request, trusted):
        return request.remote or ""
    found = {_last_untrusted(peer, hops, trusted) for hops in (_forwarded_for(request), _forwarded(request)) if hops}
    return str(found.pop() if len(found) == 1 else peer)


def whose(address: str) -> str:
    """What tries are counted by: an IPv4 address, or an IPv6 network of CLIENT_BITS bits."""
    found = address_of(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), CLIENT_BITS), strict=False))
    return str(found) if found else address


def last_value(request: web.Request, name: str) -> str:
    """The last element of a list header, which the nearest proxy has written; empty where there is none."""
    values = request.headers.getall(name, [])
    return values[-1].rpartition(",")[2].strip() if values else ""


def forwarded_host(request: web.Request, trusted: Networks) -> str:
    """The host that the client has asked for, by a trusted proxy's word; else empty."""
    host = last_value(request, "X-Forwarded-Host") if from_trusted(request, trusted) else ""
    return host.lower() if _HOST.fullmatch(host) else ""


def forwarded_https(request: web.Request, trusted: Networks) -> bool:
    """Whether the client came by TLS, by a trusted proxy's word."""
    return from_trusted(request, trusted) and last_value(request, "X-Forwarded-Proto").lower() == "https"


def forwarded_prefix(request: web.Request, trusted: Networks) -> str:
    """The path that a trusted proxy says it has taken off, without a slash at its end; else empty."""
    prefix = last_value(request, "X-Forwarded-Prefix").rstrip("/") if from_trusted(request, trusted) else ""
    return prefix if _PREFIX.fullmatch(prefix) and ".." not in prefix else ""


def _last_untrusted(peer: IpAddress, hops: list[str], trusted: Networks) -> IpAddress:
    last = peer
    for hop in reversed(hops):
        address = address_of(hop)
        if address is None:
            break  # "unknown", a made-up name, or nonsense: the proxy before it is all that is known
        last = address
        if not within(address, trusted):
            break
    return last


def _forwarded_for(request: web.Request) -> list[str]:
    values = request.headers.getall("X-Forwarded-For", [])
    return [_bare(hop) for value in values for hop in value.split(",")]


def _forwarded(request: web.Request) -> list[str]:
    return [_bare(hop) for value in request.headers.getall("Forwarded", []) for hop in _for_each(value)]


def _for_each(value: str) -> Iterator[str]:
    """RFC 7239: the ``for`` of each element, empty where it names none."""
    for element in value.split(","):
        pairs = (pair.partition("=") for pair in element.split(";"))
        yield next((text for name, _, text in pairs if name.strip().lower() == "for"), "")


def _bare(hop: str) -> str:
    """An address without quotes, brackets and port: ``"[2001:db8::1]:4711"``, ``192.0.2.1:80``."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
