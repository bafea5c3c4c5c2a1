"""The evidence record as it is written (RFC 4998 section 3), in DER and in one spelling only.

The module of the RFC has implicit tags. Each archive timestamp carries, as attributes, the certificates and revocation
lists (RFC 5126 6.3.3 and 6.3.4) that its timestamp, and the one before it, are judged with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der, oids
from yinxin.crypto.errors import Malformed, MalformedSignature, UnsupportedAlgorithm
from yinxin.crypto.suite import HashAlgorithm
from yinxin.crypto.timestamps import Token
from yinxin.evidence.record.errors import MalformedRecord

#: links that one record may have: one every few months for a century
MOST_LINKS = 500
#: octets; a larger record is refused before it is read
LARGEST = 64 * 1024 * 1024

#: lists of hashes, from the leaf to the root, each in ascending order (RFC 4998 4.2)
Path = tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class Link:
    """One archive timestamp: a timestamp token over the root of a hash tree, and the leaf's way there."""

    token: Token
    path: Path = ()
    #: DER, as they were known when the link was made
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    @property
    def hash(self) -> HashAlgorithm:
        """The hash of tree and timestamp, which are the same here (4.1: digestAlgorithm absent)."""
        return self.token.hash

    def encode(self) -> bytes:
        """ArchiveTimeStamp in DER."""
        return der.sequence(_attributes(self), _tree(self.path), self.token.der)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read an ArchiveTimeStamp; raises MalformedDer, ValueError, MalformedSignature, UnsupportedAlgorithm."""
        *optional, token = der.elements(data)
        fields = {each[0]: each for each in optional}
        der.require(
            len(fields) == len(optional) and not fields.keys() - {0xA1, 0xA2}, "a field that is not read here"
        )
        values = {}
        for attribute in der.elements(fields[0xA1], 0xA1) if 0xA1 in fields else ():
            kind, members = der.elements(attribute)
            (values[der.dotted(kind)],) = der.elements(members, der.SET)
        certificates, lists = values.get(oids.CERTIFICATE_VALUES), values.get(oids.REVOCATION_VALUES)
        return cls(
            Token.load(token),
            tuple(
                tuple(der.content(each, der.OCTET_STRING) for each in der.elements(group))
                for group in (der.elements(fields[0xA2], 0xA2) if 0xA2 in fields else ())
            ),
            tuple(der.elements(certificates)) if certificates else (),
            tuple(der.elements(der.tagged(der.elements(lists)[0], 0))) if lists else (),
        )


def _attributes(link: Link) -> bytes:
    held = []
    if link.certificates:
        held.append((oids.CERTIFICATE_VALUES, der.sequence(*link.certificates)))
    if link.crls:
        held.append((oids.REVOCATION_VALUES, der.sequence(der.explicit(0, der.sequence(*link.crls)))))
    encoded = [der.sequence(der.oid(oid), der.set_of([value])) for oid, value in held]
    return der.implicit(1, der.set_of(encoded)) if encoded else b""


def _tree(path: Path) -> bytes:
    groups = [der.sequence(*map(der.octets, group)) for group in path]
    return der.implicit(2, der.sequence(*groups)) if groups else b""


@dataclass(frozen=True)
class EvidenceRecord:
    """Chains of archive timestamps, oldest first; a chain has one hash, and a new one begins with every new hash."""

    chains: tuple[tuple[Link, ...], ...]

    @property
    def links(self) -> tuple[Link, ...]:
        """Every link, oldest first."""
        return tuple(link for chain in self.chains for link in chain)

    @property
    def last(self) -> Link:
        """The youngest link."""
        return self.chains[-1][-1]

    def encode(self) -> bytes:
        """EvidenceRecord in DER."""
        hashes = list(dict.fromkeys(link.hash for link in self.links))
        algorithms = der.sequence(*(each.identifier for each in hashes))
        return der.sequence(der.integer(1), algorithms, encode_chains(self.chains))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a record in its one spelling; raises MalformedRecord."""
        if len(data) > LARGEST:
            raise MalformedRecord(reason=f"over {LARGEST} octets")
        try:
            der.check(data)
            _, _, chains = der.elements(data)
            groups = [der.elements(chain) for chain in der.elements(chains)]
            der.require(groups and all(groups), "a chain without a link")
            der.require(sum(map(len, groups)) <= MOST_LINKS, f"more than {MOST_LINKS} links")
            found = cls(tuple(tuple(map(Link.read, each)) for each in groups))
            same = found.encode() == data
        except (Malformed, MalformedSignature, UnsupportedAlgorithm, ValueError, IndexError) as error:
            raise MalformedRecord(reason=str(error)) from error
        if not same:
            raise MalformedRecord(reason="another spelling of the same")
        return found


def encode_chains(chains: Sequence[Sequence[Link]]) -> bytes:
    """ArchiveTimeStampSequence in DER: what a new hash is taken of when a chain begins (RFC 4998 5.2)."""
    return der.sequence(*(der.sequence(*(link.encode() for link in chain)) for chain in chains))
