"""Where messages may go: to public addresses, and to networks that the operator allows. A name is resolved once, and
the connection is made to the very address that was checked (no DNS rebinding)."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MOST_CHARACTERS = 2000


class AddressNotAllowed(ValueError):
    """A message must not go there; the text says why and what would allow it."""


def is_public(address: IpAddress) -> bool:
    """Whether the whole Internet means the same by this address; what is wrapped in it (RFC 4291, 6052, 3056) too."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_allowed(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    """Whether the address is of a network that the operator allows."""
    plain = address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
    return any(plain.version == network.version and plain in network for network in networks)


def check_url(url: str, networks: Sequence[IpNetwork]) -> None:
    """Raise `AddressNotAllowed` for a URL that can be told to be wrong before its name is resolved."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise AddressNotAllowed(f"not a URL: {error}") from error
    if parts.scheme not in ("https", "http") or not host or len(url) > MOST_CHARACTERS:
        raise AddressNotAllowed(f"an https URL of at most {MOST_CHARACTERS} characters")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise AddressNotAllowed("a URL has printable ASCII characters alone; write others with %")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressNotAllowed("a URL with a user, a password or a fragment")
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise AddressNotAllowed("a name whose labels have 1 to 63 characters") from error
    if parts.scheme == "http" and not networks:
        raise AddressNotAllowed("plain http is for networks that the operator allows; use https")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    _require(literal, parts.scheme, networks)


async def resolve(url: str, networks: Sequence[IpNetwork]) -> IpAddress:
    """The address to connect to for `url`; raises `AddressNotAllowed`, or OSError for a name that is not known."""
    check_url(url, networks)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    # A scope (fe80::1%eth0) is of this machine's own link: never public.
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    refusal = AddressNotAllowed("the name has no address")
    for address in addresses:
        try:
            _require(address, parts.scheme, networks)
        except AddressNotAllowed as error:
            refusal = error
        else:
            return address
    raise refusal


def _require(address: IpAddress, scheme: str, networks: Sequence[IpNetwork]) -> None:
    if is_allowed(address, networks):
        return
    if not is_public(address):
        raise AddressNotAllowed(
            "a private address; the operator allows networks with FENCELINE_GATEWAY_SUBSCRIPTION_NETWORKS"
        )
    if scheme != "https":
        raise AddressNotAllowed("plain http to a public address; use https")
