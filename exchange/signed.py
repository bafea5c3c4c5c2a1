"""Signing in the site's name, and believing another's: every signature is timestamped, and brings what shows that it was good.

Nothing is signed or believed without a timestamp and a statement about revocation (law 7); what the verifier needs travels with
the signature, so that it holds years later and with no line to anybody.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from ca.service import Authority
from exchange.card import Card
from exchange.errors import MalformedEnvelope, NoTimestamp, NotSignedByPeer
from exchange.identity import Own
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.canonical import NotCanonical
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList
from yinxin.errors import Unavailable, YinxinError
from yinxin.evidence.signatures import Surroundings, check
from yinxin.evidence.trust import Trust

#: how long what shows the certificates good is given again as it is; it is believed far longer
_KEPT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Certificates and statements about revocation, all DER, sorted: what a signature and its timestamp are checked with."""

    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Canonical JSON with base64."""
        fields = {"certificates": self.certificates, "crls": self.crls, "ocsps": self.ocsps}
        return canonical.encode(
            {name: [b64encode(each).decode() for each in values] for name, values in fields.items()}
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read it back; raises MalformedEnvelope."""
        try:
            body: dict[str, Any] = canonical.decode(data)
            read = cls(
                *(
                    tuple(b64decode(each, validate=True) for each in body[name])
                    for name in ("certificates", "crls", "ocsps")
                )
            )
            same = read.encode() == data
        except (NotCanonical, KeyError, TypeError, ValueError) as error:
            raise MalformedEnvelope(reason="standing") from error
        if not same:
            raise MalformedEnvelope(reason="standing: another spelling")
        return read


@dataclass(frozen=True, slots=True)
class Signature:
    """A detached CMS signature with its timestamp, and what it is checked with (`Standing`), encoded."""

    cms: bytes
    standing: bytes


class Signing:
    """Signs for this site."""

    def __init__(self, own: Own, ca: Authority) -> None:
        self._own = own
        self._ca = ca
        self._kept: tuple[str, datetime, Standing] | None = None

    def sign(self, content: bytes) -> Signature:
        """A timestamped signature over `content`; raises NoTimestamp, TimestampFailed, and what the key centre raises."""
        identity, now = self._own.signing(), self._ca.ctx.store.clock.now()
        made = cms.sign_detached(identity, content, signed_at=now, timestamp=self._stamp)
        return Signature(made, self._standing(identity.certificate, made, content, now).encode())

    def _stamp(self, value: bytes) -> bytes:
        name = self._own.suite.name
        token = self._ca.timestamps.stamp(value, name, SYSTEM)
        if token is None:
            raise NoTimestamp(suite=name)
        return token

    def _standing(self, certificate: Certificate, made: bytes, content: bytes, now: datetime) -> Standing:
        kept = self._kept
        if kept is not None and kept[0] == certificate.fingerprint and now - kept[1] < _KEPT:
            return kept[2]
        token = cms.verify_detached(made, content).timestamp_token
        if token is None:
            raise NoTimestamp(suite=self._own.suite.name)
        good, vouched = self._ca.evidence(certificate, now), self._ca.timestamps.standing(token.der)
        standing = Standing(
            tuple(
                sorted(
                    {
                        certificate.der,
                        *(each.der for each in (*good.chain, *vouched.path.certificates)),
                        *vouched.certificates,
                    }
                )
            ),
            tuple(sorted({*good.crls, *vouched.crls})),
            tuple(sorted(good.ocsp)),
        )
        self._kept = (certificate.fingerprint, now, standing)
        return standing


def believed(signature: Signature, content: bytes, card: Card) -> datetime:
    """The instant that a peer's signature over `content` is proved to have been there since.

    Its key must be one that the card names, and its certificate lead to the card's anchors and be good at that instant.
    Raises NotSignedByPeer, MalformedEnvelope; Unavailable as it comes.
    """
    try:
        certificates, crls, ocsps = _read(signature.standing)
        around = Surroundings(Trust(card.anchors, ()), certificates, crls)
        signed = check(signature.cms, content, around, ocsps)
    except MalformedEnvelope:
        raise
    except Unavailable:
        raise
    except (YinxinError, ValueError) as error:
        raise NotSignedByPeer(site=card.site, reason=error) from error
    if signed.certificate.public_key not in [each.public_key for each in card.keys]:
        raise NotSignedByPeer(site=card.site, reason=signed.certificate.subject.text)
    return signed.at


@lru_cache(maxsize=64)
def _read(
    standing: bytes,
) -> tuple[tuple[Certificate, ...], tuple[CertificateList, ...], tuple[bytes, ...]]:
    """What a signature comes with, read once of those that bring the same; raises MalformedEnvelope, and of what it reads."""
    said = Standing.decode(standing)
    certificates = tuple(Certificate.load(each) for each in said.certificates)
    return certificates, tuple(CertificateList.load(each) for each in said.crls), said.ocsps
