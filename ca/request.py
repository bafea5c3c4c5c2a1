"""Step one of issuance: what is asked for, held against proof of possession, profile, directory and key history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.errors import CompromisedKey, ForeignName, KeyInUse, ProfileRefuses, WeakKey
from ca.models import CertificateRow
from ca.profile import HolderKind, Profile
from ca.settings import CaSettings
from yinxin import canonical
from yinxin.crypto import der
from yinxin.crypto.errors import MalformedRequest
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.names import ATTRIBUTES, Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.text import Text


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

    @property
    def spki_digest(self) -> str:
        """SHA-256 of the key, hexadecimal: how tables find it again."""
        return INTL.hash.digest(self.public_key.spki).hex()

    @property
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
        }
        return INTL.hash.digest(canonical.encode(parts)).hex()


def examine(request: IssueRequest, profile: Profile, register: Register, settings: CaSettings) -> Order:
    """The order that a request amounts to; raises what is wrong with it.

    MalformedRequest, BadSignature (proof of possession), WeakKey, ProfileRefuses, ForeignName, UnknownHolder.
    """
    asked = application_of(request.csr, settings)
    _strong(asked.public_key, profile)
    if request.holder.kind not in profile.holders:
        raise _refusal(profile, "holder", "该类持有者", f"a holder of kind {request.holder.kind}")
    holder, facts = register.facts(request.holder)
    days = request.days or profile.days
    if not 0 < days <= profile.most_days:
        raise _refusal(
            profile,
            "days",
            f"有效期 {days} 天，最长 {profile.most_days} 天",
            f"{days} days of at most {profile.most_days}",
        )
    san = _alternative_names(asked.san, profile, settings)
    subject = _subject(asked.subject, profile, {**facts, **_first_of(san)})
    # where hosts are named, another common name beside them would only mislead
    name, hosts = subject.common_name, {text for kind, text in san if kind in ("dns", "ip")}
    if hosts and name and name.lower() not in hosts:
        raise ForeignName(field="commonName", asked=name, registered=", ".join(text for _, text in san))
    return Order(
        reference=request.reference,
        profile=profile,
        authority=request.authority or f"{asked.public_key.suite.name}-{profile.signed_by}",
        public_key=asked.public_key,
        subject=subject,
        san=san,
        holder=holder,
        days=days,
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


def unburdened(session: Session, order: Order) -> None:
    """The key's history allows it; raises CompromisedKey or KeyInUse.

    A holder may renew with the same key under the same profile; nobody else's key, and no compromised key, is
    certified again.
    """
    row = CertificateRow
    query = sa.select(row.serial, row.reason, row.holder_kind, row.holder, row.profile)
    holder = order.holder
    for known in session.execute(query.where(row.spki_digest == order.spki_digest)):
        if known.reason == "keyCompromise":
            raise CompromisedKey(serial=known.serial)
        if (known.holder_kind, known.holder, known.profile) != (holder.kind, holder.id, order.profile.name):
            raise KeyInUse(serial=known.serial)


def _strong(key: PublicKey, profile: Profile) -> None:
    bits = _bits(key)
    if key.algorithm not in profile.keys or (key.algorithm == "rsa" and bits < profile.smallest_rsa):
        accepted = ", ".join(f"{k}-{profile.smallest_rsa}" if k == "rsa" else k for k in profile.keys)
        raise WeakKey(algorithm=key.algorithm, bits=bits, profile=profile.name, accepted=accepted)


def _bits(key: PublicKey) -> int:
    """Size of an RSA modulus (RFC 8017 A.1.1); of another key, the size of its point."""
    public = der.octets_of_bits(der.elements(key.spki)[1])
    if key.algorithm != "rsa":
        return 4 * len(public) // 8 * 8
    return int.from_bytes(der.content(der.elements(public)[0])).bit_length()


def _subject(asked: Name, profile: Profile, facts: Mapping[str, str]) -> Name:
    """The subject by the profile's sources; a name asked for that is not the registered one is refused."""
    wanted = asked.as_dict()
    if strange := [name for name in wanted if name not in profile.subject]:
        raise _refusal(profile, strange[0], "该模板没有此项", "the profile has no such attribute")
    pairs = []
    for name, source in profile.subject.items():
        text = _text(name, source, wanted.get(name), profile, facts)
        if text is None:
            continue
        if name in wanted and wanted[name] != text:
            raise ForeignName(field=name, asked=wanted[name], registered=text)
        pairs.append((name, text))
    return Name.of(pairs)


def _text(
    name: str, source: str, asked: str | None, profile: Profile, facts: Mapping[str, str]
) -> str | None:
    if source.startswith("="):
        return source[1:]
    if source == "request?":
        return asked
    if source == "san?":
        return asked or facts.get(source)
    text = asked if source == "request" else facts.get(source)
    if not text:
        raise _refusal(profile, name, "缺少该项", "it is missing")
    return text


def _first_of(san: tuple[GeneralName, ...]) -> dict[str, str]:
    """The first alternative name that fits into a common name (64 characters, RFC 5280 appendix A), as `san?`."""
    fitting = [text for _, text in san if len(text) <= ATTRIBUTES["commonName"][2]]
    return {"san?": fitting[0]} if fitting else {}


def _alternative_names(
    asked: tuple[GeneralName, ...], profile: Profile, settings: CaSettings
) -> tuple[GeneralName, ...]:
    allowed = {str(kind) for kind in profile.san}
    names = tuple((kind, text.lower() if kind == "dns" else text) for kind, text in asked)
    for kind, text in names:
        if kind not in allowed:
            raise _refusal(profile, kind, f"不允许 {text}", f"{text} is not allowed")
        if kind == "dns" and settings.dns_domains and not within(text, settings.dns_domains):
            raise ForeignName(field="dns", asked=text, registered=", ".join(settings.dns_domains))
    given = {kind for kind, _ in names}
    for needed in [str(kind) for kind, need in profile.san.items() if need == "required"]:
        if needed not in given:
            raise _refusal(profile, needed, "缺少该项", "it is missing")
    least = profile.least_names
    if len(names) < least:
        raise _refusal(
            profile,
            "subjectAltName",
            f"至少需要 {least} 个名称",
            f"at least {least} name is needed" if least == 1 else f"at least {least} names are needed",
        )
    return names


def within(name: str, domains: tuple[str, ...]) -> bool:
    """Whether a host name is one of these domains or lies below one."""
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def _refusal(profile: Profile, field: str, zh: str, en: str) -> ProfileRefuses:
    return ProfileRefuses(profile=profile.name, field=field, reason=Text(zh, en))
