"""An attribute certificate checked offline, and said in words: of whom it speaks, what it grants, on whose word.

The file is its PEM or DER; certificates and revocation lists may stand beside it in the same PEM text, or be given apart.
None of them is trusted by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from yinxin.authz import LEVEL_TEXT
from yinxin.clock import official
from yinxin.crypto import der, pem
from yinxin.crypto.attribute import AttributeCertificate, Grant, Known, Verified
from yinxin.crypto.attribute import verify as judge
from yinxin.crypto.attribute.certificate import LABEL
from yinxin.crypto.attribute.errors import MalformedAttributeCertificate
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedCertificate, MalformedDer
from yinxin.crypto.path import RevocationEvidence
from yinxin.crypto.status import CertificateList
from yinxin.evidence.attached import Attached
from yinxin.evidence.trust import Trust
from yinxin.roles import ROLES
from yinxin.text import Text

#: certificates, and lists, that one text may bring
_MOST = 64

_KINDS: Mapping[str, Text] = {
    "substantive": Text("任职", "appointed"),
    "acting": Text("代理", "acting"),
    "delegation": Text("受委托代行", "acting by delegation"),
}


@dataclass(frozen=True)
class Beside:
    """What a file is judged with besides itself: an attribute certificate, mostly; evidence, with the files it names."""

    #: PEM texts or single DER certificates: certificates and revocation lists
    files: tuple[bytes, ...] = ()
    #: the certificate that somebody showed; else the one named is looked for
    holder: Certificate | None = None
    #: by which names the verifier is a target, and of which groups a member
    names: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    #: files that the content of a document names
    attached: tuple[Attached, ...] = ()


NOTHING_BESIDE = Beside()


def is_one(data: bytes) -> bool:
    """Whether the bytes are an attribute certificate: by its PEM label, or a DER object that is no ContentInfo (RFC 5652 §3)."""
    if data.startswith(b"\x30"):
        return not is_content_info(data)
    return pem.is_pem(data) and f"-----BEGIN {LABEL}-----".encode() in data


def is_content_info(data: bytes) -> bool:
    """Whether the bytes begin as a CMS structure does: a sequence whose first element is its type (RFC 5652 §3)."""
    try:
        _, start, _ = der.header(data)
    except MalformedDer:
        return False
    return data.startswith(b"\x30") and data[start : start + 1] == b"\x06"


def verify(data: bytes, trust: Trust, beside: Beside, *, at: datetime, held: list[Text]) -> None:
    """Check it as of `at` and add what it says to `held`; raises what `crypto.attribute.verify` raises."""
    certificate = AttributeCertificate.load(data)
    certificates, crls = beside_it((*((data,) if pem.is_pem(data) else ()), *beside.files))
    known = Known(
        trust.roots,
        (*certificates, *((beside.holder,) if beside.holder else ())),
        RevocationEvidence(crls=crls),
        names=beside.names,
        groups=beside.groups,
    )
    held += _words(judge(certificate, known, at=at, holder=beside.holder))


def beside_it(texts: Iterable[bytes]) -> tuple[tuple[Certificate, ...], tuple[CertificateList, ...]]:
    """The certificates and lists of some texts, not yet believed; raises MalformedAttributeCertificate, MalformedCertificate."""
    texts = tuple(texts)
    certificates = tuple(each for text in texts for each in _certificates(text))
    crls = tuple(each for text in texts for each in _lists(text))
    if len(certificates) > _MOST or len(crls) > _MOST:
        raise MalformedAttributeCertificate(reason=f"more than {_MOST} certificates or lists beside it")
    return certificates, crls


def _certificates(text: bytes) -> list[Certificate]:
    if not pem.is_pem(text):
        return [Certificate(text)]
    try:
        return [Certificate(block) for block in pem.decode("CERTIFICATE", text)]
    except ValueError as error:
        raise MalformedCertificate(reason=str(error)) from error


def _lists(text: bytes) -> list[CertificateList]:
    try:
        return [CertificateList(block) for block in pem.decode("X509 CRL", text)] if pem.is_pem(text) else []
    except ValueError as error:
        raise MalformedCertificate(reason=str(error)) from error


def _words(verified: Verified) -> Iterator[Text]:
    certificate, claims = verified.certificate, verified.claims
    begins, ends = official(certificate.not_before), official(certificate.not_after)
    authority = verified.authority.leaf.subject.common_name
    yield Text(
        f"属性证书 {certificate.name} 由属性权威“{authority}”签名，未被改动，{begins} 至 {ends} 有效",
        f"Attribute certificate {certificate.name} is signed by the attribute authority {authority}, unchanged, valid from {begins} to {ends}",
    )
    if certificate.revocable:
        yield Text("撤销列表表明它未被撤销", "The revocation list says that it was not revoked")
    else:
        yield Text(
            "短期证书，不设撤销，到期自行失效", "It is short-lived, is not revoked, and ends by itself"
        )
    holder = verified.holder.leaf
    yield Text(
        f"只与证书 {holder.serial:x}（{holder.subject.common_name}）一同有效；出示者还须证明持有该证书的私钥",
        f"It holds with certificate {holder.serial:x} ({holder.subject.common_name}) only; whoever shows it must prove to hold that key",
    )
    yield _post(verified)
    level = LEVEL_TEXT[claims.clearance.level]
    yield Text(f"涉密等级：{level.zh}", f"Clearance: {level.en}")
    if claims.roles:
        roles = [ROLES.get(each.id, Text(each.id, each.id)) for each in claims.roles]
        yield Text(
            f"角色：{'、'.join(each.zh for each in roles)}", f"Roles: {', '.join(each.en for each in roles)}"
        )
    yield from map(_grant, claims.grants)
    if not claims.grants:
        yield Text("没有另外的授权", "No further grants")
    if certificate.targets:
        told = "、".join(each.text for each in certificate.targets)
        yield Text(f"只供 {told} 使用", f"Meant for {told} only")


def _post(verified: Verified) -> Text:
    said = verified.claims.appointment
    kind = _KINDS[said.kind]
    since = official(said.valid_from)
    zh = f"自 {since} 起" + (f"至 {official(said.valid_to)}" if said.valid_to else "")
    en = f"from {since}" + (f" until {official(said.valid_to)}" if said.valid_to else "")
    limits = ", ".join(said.actions) if said.actions is not None else ""
    return Text(
        f"{said.person_name}（{said.person}）{kind.zh} {said.organ.name.zh} {said.post.name.zh}，{zh}"
        + (f"，仅限 {limits}" if limits else ""),
        f"{said.person_name} ({said.person}), {kind.en}: {said.post.name.en} of {said.organ.name.en}, {en}"
        + (f", limited to {limits}" if limits else ""),
    )


def _grant(grant: Grant) -> Text:
    actions, ends = ", ".join(grant.actions), official(grant.valid_to)
    return Text(
        f"授权 {grant.id}：{grant.template.name.zh}（{actions}），范围：{grant.scope.name.zh}及其下级，至 {ends}，依据：{grant.source}",
        f"Grant {grant.id}: {grant.template.name.en} ({actions}), over {grant.scope.name.en} and those below, until {ends}, by {grant.source}",
    )
