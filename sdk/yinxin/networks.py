"""Which addresses a connection may end at, for whatever of the platform connects to where somebody else says."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: prefixes below which a translator or tunnel takes an IPv4 address out of an IPv6 one: RFC 6052, RFC 8215
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
#: where it stands by the length of the prefix (RFC 6052 2.2): octets of the address, the ninth left out
_PLACES = ((12, 13, 14, 15), (9, 10, 11, 12), (7, 9, 10, 11), (6, 7, 9, 10))


def addresses_of(name: str) -> list[str]:
    """The addresses of a host by the system's resolver, each once; raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))


def plain(address: Address) -> Address:
    """The address, or the IPv4 address that it maps (RFC 4291 2.5.5.2)."""
    return getattr(address, "ipv4_mapped", None) or address


def embedded(address: Address) -> list[IPv4Address]:
    """The IPv4 addresses that a connection to an IPv6 address may end at, by NAT64, 6to4 (RFC 3056) or Teredo (RFC 4380).

    Below the prefix for local use nobody but its network knows the length of the translator's: each is considered, but for
    those by which an address would begin with zero, which is no host's.
    """
    if not isinstance(address, IPv6Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if any(address in each for each in _TRANSLATED):
        octets = address.packed
        places = _PLACES[:1] if address in _TRANSLATED[0] else _PLACES
        taken = [bytes(octets[place] for place in each) for each in places]
        found += [IPv4Address(each) for each in taken if each[0] or len(taken) == 1]
    return [each for each in found if each is not None]


def within(address: Address, network: Network) -> bool:
    """Whether the address lies in the network, which may be of the other version."""
    return address.version == network.version and address in network


def public(address: Address) -> bool:
    """Whether it is a host's on the public network (RFC 6890); of an address that embeds others, ask for those too."""
    return address.is_global and not address.is_multicast
