"""Timestamp tokens (RFC 3161, RFC 5652, RFC 5035), for the verifier that is one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from yinxin.evidence.standalone.paper import Certificate
from yinxin.evidence.standalone.saying import Broken
from yinxin.evidence.standalone.signature import digest, hash_of, holds, used
from yinxin.evidence.standalone.tlv import arcs, children, inside, moment, strict, written

_SIGNED = ("1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2")
_INFO = "1.2.840.113549.1.9.16.1.4"
_TYPE, _DIGEST, _NAMED = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True)
class Token:
    """What a token says; it counts after `signed_by`."""

    der: bytes
    hash: str
    imprint: bytes
    at: datetime
    certificates: tuple[Certificate, ...]
    info: bytes
    signer: tuple[bytes, ...]

    @classmethod
    def read(cls, data: bytes) -> "Token":
        """Read a ContentInfo; raises ValueError, Broken."""
        outer, wrapped = children(strict(data))
        _, _, encapsulated, *rest = children(inside(wrapped, 0xA0))
        (info,) = children(rest[-1], 0x31)
        kind, content = children(encapsulated)
        if arcs(outer) not in _SIGNED or arcs(kind) != _INFO:
            raise ValueError("no timestamp")
        said = strict(inside(inside(content, 0xA0), 0x04))
        version, _, imprint, _, at, *more = children(said)
        algorithm, value = children(imprint)
        if version != b"\x02\x01\x01" or any(each[0] == 0xA1 for each in more):
            raise ValueError("a timestamp of another form")
        listed = [each for field in rest[:-1] if field[0] == 0xA0 for each in children(field, 0xA0)]
        return cls(
            data,
            hash_of(algorithm),
            inside(value, 0x04),
            moment(at),
            tuple(Certificate(each) for each in listed if each[0] == 0x30),
            said,
            tuple(children(info)),
        )

    @property
    def signer_hash(self) -> str:
        """The hash of its own signature."""
        return hash_of(self.signer[2])

    def signed_by(self, also: Sequence[Certificate]) -> Certificate:
        """Whose signature it bears, if it holds; of the certificate nothing else is known yet. Raises Broken, ValueError."""
        _, named, hashed_by, attributes, algorithm, signature, *_ = self.signer
        values: dict[str, bytes] = {}
        for each in children(attributes, 0xA0):
            kind, members = children(each)
            (value,) = children(members, 0x31)
            if arcs(kind) in values:
                raise ValueError("an attribute twice")
            values[arcs(kind)] = value
        name = hash_of(hashed_by)
        if arcs(values[_TYPE]) != _INFO or inside(values[_DIGEST], 0x04) != digest(name, self.info):
            raise Broken("时间戳内容被改动", "the content of a timestamp was changed")
        first = children(children(children(values[_NAMED])[0])[0])
        by_digest = first[1] if first[0][0] == 0x30 else first[0]
        own = hash_of(first[0]) if first[0][0] == 0x30 else "sha256"
        for by in (*self.certificates, *also):
            place = written(0x30, by.fields[2] + by.fields[0])
            if named == place and digest(own, by.der) == inside(by_digest, 0x04):
                break
        else:
            raise Broken("时间戳没有附带签名证书", "the certificate of a timestamp's signature is not there")
        family, hash_ = used(algorithm, name)
        message = b"\x31" + attributes[1:]
        if hash_ != name or not holds(by.key, (family, hash_), inside(signature, 0x04), message):
            raise Broken(
                f"{by.name} 的时间戳签名无效", f"the timestamp's signature by {by.name} does not hold"
            )
        return by
