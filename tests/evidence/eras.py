"""Timestamp authorities of several ages of cryptography, each with its own root; keys in memory."""

from datetime import UTC, datetime, timedelta
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ec

from yinxin.crypto import timestamps
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.status import Revoked, build_crl
from yinxin.crypto.suite import INTL, PQ, SHA384, SM, HashAlgorithm
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.evidence.record import EvidenceRecord, Link, hash_preimage, joined, renewed

DAY = timedelta(days=1)
YEAR = timedelta(days=365)


def day(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


class Era:
    """A root for thirty years and an authority for `years`, begun at `at`; `hash` is that of imprints."""

    serials = count(1 << 80)

    def __init__(self, name: str, key, hash_: HashAlgorithm, at: datetime, years: float = 6) -> None:
        self.name, self.hash, self.revoked = name, hash_, []
        self.key = key()
        self.root = self._issue(f"根 {name}", self.key, at, 30, key_usage={"keyCertSign", "cRLSign"}, ca=True)
        self.unit, self.certificate = None, None
        self.begin(at, years, key)

    def begin(self, at: datetime, years: float, key) -> None:
        """A new unit, in place of the last."""
        self.unit = key()
        self.certificate = self._issue(
            f"时间戳 {self.name}", self.unit, at, years, extended_key_usage=("timeStamping",)
        )

    def _issue(self, name, subject, at, years, *, key_usage=frozenset({"digitalSignature"}), **more):
        named = Name.of([("C", "CN"), ("CN", name)])
        own = "root" not in vars(self)
        algorithm = self.key.public_key.signature_algorithm
        tbs = to_be_signed(
            CertificateTemplate(named, at, at + years * YEAR, key_usage=frozenset(key_usage), **more),
            spki=subject.public_key.spki,
            issuer_name=named if own else self.root.subject,
            issuer_key_id=self.key.public_key.key_id,
            serial=next(self.serials),
            algorithm=algorithm,
        )
        return Certificate(assemble(tbs, algorithm, self.key.sign(tbs)))

    def below(self, name: str, at: datetime, years: float) -> tuple[PrivateKey, Certificate]:
        """An authority between the root and a new unit, in place of the last; its key and certificate."""
        key = PrivateKey.generate("ecdsa-p256")
        above = self._issue(name, key, at, years, key_usage={"keyCertSign", "cRLSign"}, ca=True)
        root_key, root, self.key, self.root = self.key, self.root, key, above
        self.begin(at, years, lambda: PrivateKey.generate("ecdsa-p256"))
        self.key, self.root = root_key, root
        return key, above

    def crl_of(self, key: PrivateKey, issuer: Certificate, at: datetime) -> bytes:
        """The list of an authority between, about the units below it."""
        return build_crl(
            signer=key,
            issuer=issuer,
            number=1,
            this_update=at,
            next_update=at + 7 * DAY,
            revoked=self.revoked,
        )

    def revoke(self, at: datetime) -> None:
        self.revoked.append((self.certificate.serial, Revoked(at)))

    def crl(self, at: datetime) -> bytes:
        return build_crl(
            signer=self.key,
            issuer=self.root,
            number=1,
            this_update=at,
            next_update=at + 7 * DAY,
            revoked=[each for each in self.revoked if each[1].at <= at],
        )

    def token(self, message: bytes, at: datetime, hash_: HashAlgorithm | None = None) -> timestamps.Token:
        hash_ = hash_ or self.hash
        asked = timestamps.request(hash_, hash_.digest(message), 7)
        answer = timestamps.build_response(
            asked,
            signer=self.unit,
            certificate=self.certificate,
            policy="1.2.3",
            serial=next(self.serials),
            at=at,
        )
        return timestamps.Token.from_response(answer, asked)

    def link(self, message: bytes, at: datetime, *, before: "Era | None" = None, path=(), hash_=None) -> Link:
        crls = tuple(dict.fromkeys(each.crl(at) for each in (before, self) if each))
        return Link(self.token(message, at, hash_), path, (), crls)


def by_time(record: EvidenceRecord, era: Era, at: datetime, *, before: Era | None = None) -> EvidenceRecord:
    """Timestamp renewal, alone."""
    link = era.link(record.last.token.der, at, before=before or era, hash_=record.last.hash)
    return renewed(record, link, opens=False)


def by_hash(
    records: list[EvidenceRecord], data: list[bytes], era: Era, at: datetime, *, before: Era
) -> list[EvidenceRecord]:
    """Hash renewal of many, under one timestamp."""
    preimages = [
        hash_preimage(era.hash, each, record.chains) for record, each in zip(records, data, strict=True)
    ]
    message, paths = joined(era.hash, preimages)
    token = era.link(message, at, before=before)
    return [
        renewed(record, Link(token.token, path, (), token.crls), opens=True)
        for record, path in zip(records, paths, strict=True)
    ]


def p384() -> PrivateKey:
    return PrivateKey(ec.generate_private_key(ec.SECP384R1()))


KINDS = {
    "ecdsa": (lambda: PrivateKey.generate(INTL), INTL.hash),
    "sm": (lambda: PrivateKey.generate(SM), SM.hash),
    "pq": (lambda: PrivateKey.generate(PQ), PQ.hash),
    "p384": (p384, SHA384),
}


def era(kind: str, at: datetime, years: float = 6) -> Era:
    key, hash_ = KINDS[kind]
    return Era(kind, key, hash_, at, years)
