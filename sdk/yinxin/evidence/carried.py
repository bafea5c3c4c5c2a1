"""What a sealed file carries inside, PDF or OFD: the content signed off, the statement over it and its signature."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from yinxin.clock import official
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.evidence import delegation
from yinxin.evidence.attached import hold
from yinxin.evidence.attribute import Beside
from yinxin.evidence.compare import digests, same
from yinxin.evidence.delegation import SignedDelegation
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.signatures import Signed, Surroundings, check
from yinxin.statement import Statement
from yinxin.text import Text

#: what the files inside are called by which a document was signed off, and countersigned by the joint organs (with their number);
#: the one that holds the delegation by which somebody signed off in the leader's place
SIGN_OFF, COUNTERSIGN = "sign-off", "countersign"
DELEGATION = f"{SIGN_OFF}.delegation"
_WORDS = {True: Text("签发", "signed off"), False: Text("会签", "countersigned")}


def content_of(inside: Mapping[str, bytes], held: list[Text], beside: Beside) -> bytes:
    """The content signed off, once it is what the statement names; raises EvidenceMismatch."""
    try:
        content, statement = inside["content.json"], Statement.decode(inside["sign-off.json"])
    except KeyError as error:
        raise EvidenceMismatch(what=f"{error.args[0]} is not in the document") from error
    same(statement.content.get("content"), digests(content), "the content signed off / 签发内容")
    with fitting("the content's form / 内容格式不符"):
        body = json.loads(content)
        title = str(body["title"])
    held.append(
        Text(
            f"文件内附签发内容《{title}》，与签发声明一致",
            f"It carries the content signed off, 《{title}》, as the statement names it",
        )
    )
    with fitting("the files that the content names / 内容所载附件"):
        hold(body.get("files", ()), beside.attached, held)
    return content


def joint_of(content: bytes) -> list[Mapping[str, str]]:
    """The organs that the content names beside the issuing one (联合行文), each by identifier and name; raises EvidenceMismatch."""
    with fitting("the joint organs that the content names / 内容所载联署机关"):
        named = json.loads(content).get("joint", [])
        return [{"id": str(each["id"]), "name": str(each["name"])} for each in named]


def sealed_by_all(content: bytes, seals: Sequence[Certificate]) -> None:
    """One seal of every organ that issues it jointly, and of nobody else; raises EvidenceMismatch."""
    joint = joint_of(content)
    if not joint and len(seals) == 1:
        return
    with fitting("the issuing organ that the content names / 内容所载发文机关"):
        organs = [str(json.loads(content)["organ"]["name"]), *(each["name"] for each in joint)]
    found = [each.subject.get("organizationName") or "" for each in seals]
    if missing := [each for each in organs if each not in found]:
        names = "、".join(missing)
        raise EvidenceMismatch(
            what=Text(f"联合发文缺少印章：{names}", f"the seals of {names} are missing from a joint document")
        )
    same(sorted(found), sorted(organs), "the organs whose seals it bears / 盖章机关")


def countersigned(inside: Mapping[str, bytes], content: bytes) -> list[str]:
    """The names under which the countersignatures of the joint organs are carried, each of them of this very content.

    Raises EvidenceMismatch.
    """
    names = []
    for number, organ in enumerate(joint_of(content), 1):
        name = f"{COUNTERSIGN}-{number}"
        try:
            statement = Statement.decode(inside[f"{name}.json"])
        except KeyError as error:
            raise EvidenceMismatch(
                what=Text(
                    f"文件内没有{organ['name']}的会签",
                    f"the countersignature of {organ['name']} is not in the document",
                )
            ) from error
        said = (statement.type, statement.organ, statement.content.get("content"))
        due = ("document.countersign", organ["id"], digests(content))
        same(said, due, "the content countersigned / 会签内容")
        about = Statement.decode(inside["sign-off.json"]).subject
        same(statement.subject, about, "the document countersigned / 会签的公文")
        names.append(name)
    return names


def signed_off_by(inside: Mapping[str, bytes], name: str = SIGN_OFF) -> cms.SignedBy:
    """Who signed the statement inside, in her own name; raises EvidenceMismatch, BadSignature."""
    try:
        signature, statement = inside[f"{name}.p7s"], inside[f"{name}.json"]
    except KeyError as error:
        raise EvidenceMismatch(what=f"{name}.p7s is not in the document / 文件内没有签名") from error
    by = cms.verify_detached(signature, statement)
    person = Statement.decode(statement).person
    same(by.certificate.subject.get("serialNumber"), person, f"the signer of the {name} / 签名人")
    return by


def signed_off(
    inside: Mapping[str, bytes], around: Surroundings, held: list[Text], name: str = SIGN_OFF
) -> None:
    """Check a leader's signature over the statement inside, with these proofs; and the delegation, if somebody signed in her place."""
    signed = check(inside[f"{name}.p7s"], inside[f"{name}.json"], around)
    words = _WORDS[name == SIGN_OFF]
    held.append(
        Text(
            f"{who(signed.certificate)} 于 {official(signed.at)} {words.zh}了本文内容；当时证书有效",
            f"{who(signed.certificate)} {words.en} its content at {official(signed.at)}; the certificate was good then",
        )
    )
    if given := inside.get(f"{name}.delegation"):
        _delegated(SignedDelegation.decode(given), inside[f"{name}.json"], signed, around, held)


def _delegated(
    given: SignedDelegation, statement: bytes, signed: Signed, around: Surroundings, held: list[Text]
) -> None:
    """Whether the log has this very one is the bundle's to show, and so is one of the other suite: that is said."""
    by = cms.verify_detached(given.cms, given.statement)
    if by.certificate.public_key.suite is not signed.certificate.public_key.suite:
        held.append(
            NotJudged(
                "签名人受委托代行；委托以另一套算法签名，请用证据包核验",
                "The signer acted by a delegation, which is signed in the other suite: check it with the bundle",
            )
        )
        return
    token = by.timestamp_token
    brought = (*around.certificates, *by.chain, *(token.certificates if token else ()))
    delegation.check(given, Statement.decode(statement), signed, replace(around, certificates=brought), held)
    held.append(
        NotJudged(
            "日志所载是否就是这份委托，由证据包核验",
            "Whether the log has this very delegation is for the bundle to show",
        )
    )


def organs_seal(certificate: Certificate) -> None:
    """A seal names its organ by code; nobody else's certificate is one, whichever authority issued it.

    The platform's evidence key signs documents too, for every organ's registrar: it puts bundles together, no more.
    """
    if "clientAuth" in (certificate.extended_key_usage or ()):
        raise EvidenceMismatch(
            what=f"a personal certificate as a seal / 个人证书不能用作印章: {who(certificate)}"
        )
    if not certificate.subject.get("organizationIdentifier"):
        raise EvidenceMismatch(
            what=f"a certificate without the organ's code as a seal / 印章证书没有机关代码: {who(certificate)}"
        )


def seal_maker(certificate: Certificate) -> None:
    """Seals are made by the seal maker: a person or an organ, certified by the same authority, would make itself any organ's."""
    usages = certificate.extended_key_usage or ()
    organs = certificate.subject.get("organizationIdentifier")
    if "documentSigning" not in usages or "clientAuth" in usages or organs:
        raise EvidenceMismatch(
            what=f"a seal that was not made by a seal maker / 印章不是由制章者制作: {who(certificate)}"
        )


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """What is signed and logged has our form; a field that is missing or of another kind is a misfit, not a crash."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EvidenceMismatch(what=what) from error


def who(certificate: Certificate) -> str:
    """Whose certificate it is, in words."""
    subject = certificate.subject
    parts = (
        subject.get("organizationName"),
        subject.get("organizationalUnitName"),
        subject.get("commonName"),
    )
    return " ".join(dict.fromkeys(part for part in parts if part))
