"""Step one of issuance: what is asked for, held against proof of possession, profile, directory and key history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from ca.holders import ReservedHolder
from ca.keycheck.sound import sound
from ca.naming import identify, name, refusal
from ca.profile import HolderKind, Profile
from ca.settings import CaSettings
from kms.settings import CALLER, CENTRE
from yinxin import canonical
from yinxin.authz import PLATFORM
from yinxin.clock import rfc3339
from yinxin.crypto.errors import MalformedRequest
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.once import once
from yinxin.text import Text

#: services by whose certificates the key centre and whoever calls it know each other; `yinxin kms-services` alone has them issued
RESERVED = frozenset({CENTRE, CALLER})


@dataclass(frozen=True, slots=True)
class Holder:
    """Who will hold the certificate; a person holds it in a post."""

    kind: HolderKind
    id: str
    post: str | None = None
    organ: str | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """What a certificate is asked for, by somebody who has proved to hold the key.

    It comes out of a PKCS#10, or of a protocol that has its own way of asking and proving (CMP's CRMF; a key that
    cannot sign).
    """

    public_key: PublicKey
    subject: Name
    san: tuple[GeneralName, ...] = ()

    @classmethod
    def of(cls, csr: CertificationRequest) -> Self:
        """What a PKCS#10 asks for; raises BadSignature when its proof of possession does not hold."""
        csr.verify()
        return cls(csr.public_key, csr.subject, csr.san)


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """A request for a certificate. `reference` is the caller's own key: the same one gives the same certificate."""

    reference: str
    profile: str
    #: it brings the key, and the names that the profile lets the applicant choose: PKCS#10 in PEM or DER, or what
    #: another protocol read and proved
    csr: bytes | Application
    holder: Holder
    #: validity, when not the profile's own
    days: int | None = None
    #: name of the authority; empty for the issuing authority of the key's suite
    authority: str = ""


class Register(Protocol):
    """What the directory knows of holders: the texts by source, as a profile names them."""

    def facts(self, holder: Holder) -> tuple[Holder, Mapping[str, str]]:
        """The holder with the organ filled in, and texts for the sources; raises UnknownHolder."""
        ...

    def ahead(self, holders: Sequence[Holder]) -> "Register":
        """A register that knows these holders by heart, as they are on record now: for many requests at once."""
        ...

    def is_under(self, organ: str, ancestor: str) -> bool:
        """Whether `organ` is `ancestor` or below it."""
        ...

    def of_power(self, holder: Holder) -> bool:
        """Whether the holder is a person who has, or will have, a post of power or a grant."""
        ...


@dataclass(frozen=True)
class Order:
    """A request found good: everything a certificate will say except serial number, times and issuer."""

    reference: str
    profile: Profile
    authority: str
    public_key: PublicKey
    subject: Name
    san: tuple[GeneralName, ...]
    holder: Holder
    days: int
    #: extensions of GM/T 0015
    identifiers: tuple[Extension, ...] = ()
    #: first and last instant, where they follow from other certificates and not from `days`
    period: tuple[datetime, datetime] | None = None
    #: how an outside authority identifies its key (RFC 5280 4.2.1.2)
    key_id: bytes | None = None
    #: the other key of an authority that will make alternative signatures (X.509 9.8)
    second_key: PublicKey | None = None

    @once
    def spki_digest(self) -> str:
        """SHA-256 of the key, hexadecimal: how tables find it again."""
        return INTL.hash.digest(self.public_key.spki).hex()

    @once
    def digest(self) -> str:
        """SHA-256 of all that is asked for, hexadecimal: tells a repeated request from a different one."""
        parts = {
            "profile": self.profile.name,
            "authority": self.authority,
            "key": self.spki_digest,
            "subject": self.subject.der.hex(),
            "san": [list(name) for name in self.san],
            "holder": [self.holder.kind, self.holder.id, self.holder.post, self.holder.organ],
            "days": self.days,
            "identifiers": [each.der.hex() for each in self.identifiers],
        }
        if self.period is not None:
            parts["period"] = [rfc3339(at) for at in self.period]
        if self.key_id is not None:
            parts["key_id"] = self.key_id.hex()
        if self.second_key is not None:
            parts["second_key"] = self.second_key.spki.hex()
        return INTL.hash.digest(canonical.encode(parts)).hex()


def examine(
    request: IssueRequest,
    profile: Profile,
    register: Register,
    settings: CaSettings,
    *,
    reserved: bool = False,
) -> Order:
    """The order that a request amounts to; raises what is wrong with it. `reserved`: it may name a holder of RESERVED.

    ReservedHolder, MalformedRequest, BadSignature (proof of possession), WeakKey and its kin, ProfileRefuses, ForeignName,
    UnknownHolder.
    """
    if request.holder.kind == "service" and request.holder.id in RESERVED and not reserved:
        raise ReservedHolder(holder=request.holder.id)
    asked = application_of(request.csr, settings)
    sound(asked.public_key, profile)
    if request.holder.kind not in profile.holders:
        raise refusal(profile, "holder", "该类持有者", f"a holder of kind {request.holder.kind}")
    holder, facts = register.facts(request.holder)
    _placed(holder, profile, register)
    days = request.days or profile.days
    if not 0 < days <= profile.most_days:
        raise refusal(
            profile,
            "days",
            f"有效期 {days} 天，最长 {profile.most_days} 天",
            f"{days} days of at most {profile.most_days}",
        )
    named = name(asked.subject, asked.san, profile, facts, settings.dns_domains)
    return Order(
        reference=request.reference,
        profile=profile,
        authority=request.authority
        or f"{profile.hierarchy or asked.public_key.suite.name}-{profile.signed_by}",
        public_key=asked.public_key,
        subject=named.subject,
        san=named.san,
        holder=holder,
        days=days,
        identifiers=identify(asked.public_key, profile, facts),
    )


def _placed(holder: Holder, profile: Profile, register: Register) -> None:
    organ = holder.organ or PLATFORM
    if profile.organs and not any(register.is_under(organ, each) for each in profile.organs):
        wanted = ", ".join(profile.organs)
        raise refusal(
            profile,
            "organ",
            f"持有者属于 {organ}，只办理 {wanted} 及其下级",
            f"the holder is of {organ}; certified are {wanted} and those below",
        )


def application_of(asked: bytes | Application, settings: CaSettings) -> Application:
    """What is asked for, its possession proved; raises MalformedRequest, MalformedKey, BadSignature."""
    if isinstance(asked, Application):
        return asked
    if len(asked) > settings.most_request_bytes:
        most = settings.most_request_bytes
        reason = Text(f"超过 {most} 字节", f"more than {most} octets")
        raise MalformedRequest(kind="PKCS#10", reason=reason)
    return Application.of(CertificationRequest.load(asked))
