"""Check evidence offline and say in words what holds.

`verify` takes the bytes of an evidence bundle or of a sealed PDF, and what the reader trusts. It adds a sentence to
`held` for each thing that was shown, and raises the first thing that does not hold.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from yinxin import canonical, pdf
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL, SM
from yinxin.evidence import container
from yinxin.evidence.bundle import Bundle, SignedAct
from yinxin.evidence.errors import EvidenceMismatch, UnknownFile
from yinxin.evidence.signatures import Surroundings, check
from yinxin.evidence.trust import Trust
from yinxin.statement import Statement
from yinxin.text import Text
from yinxin.tlog import LogProof

_CHINA = timezone(timedelta(hours=8))

#: what the people's acts are called in sentences
_ACTS: Mapping[str, Text] = {
    "document.sign_off": Text("签发了本文内容", "signed off its content"),
    "document.receive": Text("签收了本文", "signed for it"),
    "document.return": Text("退回了本文", "returned it"),
}


def verify(data: bytes, trust: Trust, *, at: datetime, held: list[Text]) -> None:
    """Check a bundle or a sealed PDF as of `at`; raises UnknownFile or what does not hold."""
    if data.startswith(b"PK"):
        _bundle(data, trust, at, held)
    elif data.startswith(b"%PDF"):
        _sealed(data, trust, at, held)
    else:
        raise UnknownFile(reason="neither a container nor a PDF")


def _bundle(data: bytes, trust: Trust, at: datetime, held: list[Text]) -> None:
    files, manifest, signature = container.unpack(data)
    bundle = Bundle.of(files)
    around = Surroundings(
        trust,
        tuple(Certificate.load(each) for each in bundle.certificates),
        tuple(CertificateList.load(each) for each in bundle.crls),
    )
    _needed(around, at)
    packed = check(signature, manifest, around)
    held.append(
        Text(
            f"证据包完整:{len(files)} 个文件与清单一致,清单由 {_who(packed.certificate)} 于 {_when(packed.at)} 签名",
            f"The bundle is whole: {len(files)} files match the manifest signed by {_who(packed.certificate)} at {_when(packed.at)}",
        )
    )
    content = _sealed(bundle.sealed, trust, at, held)
    _sm(bundle, around, held)
    signed = [_act(act, bundle, content, around, held) for act in bundle.acts]
    _log(bundle, signed, trust, held)


def _needed(around: Surroundings, at: datetime) -> None:
    """Every certificate that the evidence lists must itself lead to a trusted root: nothing is there unexplained."""
    for each in around.certificates:
        if each not in around.trust.roots:
            revocation = RevocationEvidence(crls=around.crls)
            moment = min(at, each.not_after)
            validate(
                each,
                around.certificates,
                around.trust.roots,
                at=moment,
                usage=Usage.ANY,
                revocation=revocation,
                require_revocation=False,
            )


def _sealed(data: bytes, trust: Trust, at: datetime, held: list[Text]) -> bytes:
    """Check the sealed PDF, and that the leader's signed content inside is what her statement names; the content."""
    intl = [root for root in trust.roots if root.public_key.suite is INTL]
    sealed = pdf.verify(data, intl, at)
    held.append(
        Text(
            f"印章有效:{_who(sealed.certificate)} 于 {_when(sealed.at)} 盖章,此后未被改动",
            f"The seal holds: {_who(sealed.certificate)} sealed it at {_when(sealed.at)}, unchanged since",
        )
    )
    inside = pdf.attachments(data)
    try:
        content, statement = inside["content.json"], Statement.decode(inside["sign-off.json"])
    except KeyError as error:
        raise EvidenceMismatch(what=f"{error.args[0]} is not in the document") from error
    _same(statement.content.get("content"), _digests(content), "the content signed off / 签发内容")
    title = json.loads(content)["title"]
    held.append(
        Text(
            f"文件内附签发内容《{title}》,与签发声明一致",
            f"It carries the content signed off, 《{title}》, as the statement names it",
        )
    )
    return content


def _sm(bundle: Bundle, around: Surroundings, held: list[Text]) -> None:
    signed = check(bundle.sealed_sm, bundle.sealed, around)
    _same(signed.certificate.public_key.suite.name, SM.name, "the suite of the second seal / 第二印章的算法")
    held.append(
        Text(
            f"国密印章有效:{_who(signed.certificate)} 以 SM2/SM3 于 {_when(signed.at)} 签名",
            f"The SM2 seal holds: {_who(signed.certificate)} signed with SM2/SM3 at {_when(signed.at)}",
        )
    )


def _act(act: SignedAct, bundle: Bundle, content: bytes, around: Surroundings, held: list[Text]) -> Statement:
    statement = Statement.decode(act.statement)
    signed = check(act.cms, act.statement, around, [act.ocsp])
    _same(statement.subject, bundle.subject, "the subject of a statement / 声明对象")
    _same(
        signed.certificate.subject.get("serialNumber"), statement.person, "the signer of a statement / 声明人"
    )
    if statement.type == "document.sign_off":
        _same(statement.content.get("content"), _digests(content), "the content signed off / 签发内容")
        inside = pdf.attachments(bundle.sealed)
        _same(
            (inside.get("sign-off.json"), inside.get("sign-off.p7s")),
            (act.statement, act.cms),
            "sign-off / 签发",
        )
    else:
        _same(statement.content.get("sealed"), _digests(bundle.sealed), "the document received / 收到的文件")
    words = _ACTS.get(statement.type, Text(statement.type, statement.type))
    reason = statement.content.get("reason", {}).get("text")
    held.append(
        Text(
            f"{_who(signed.certificate)} 于 {_when(signed.at)} {words.zh}"
            + (f",理由:{reason}" if reason else "")
            + ";当时证书有效",
            f"{_who(signed.certificate)} {words.en} at {_when(signed.at)}"
            + (f", because: {reason}" if reason else "")
            + "; the certificate was good then",
        )
    )
    return statement


def _log(bundle: Bundle, signed: list[Statement], trust: Trust, held: list[Text]) -> None:
    """Each proof is of a record about this very object; the acts that people signed and the seal are all recorded."""
    recorded: dict[tuple[str, str], dict[str, Any]] = {}
    size = 0
    for each in bundle.proofs:
        proof = LogProof.decode(each)
        checkpoint = proof.verify(trust.logs)
        size = max(size, checkpoint.size)
        entry = canonical.decode(proof.entry)
        _same(entry["subject"], bundle.subject, "the subject of a log entry / 日志记录的对象")
        _same(entry["outcome"], "done", "the outcome of a log entry / 日志记录的结果")
        recorded[entry["verb"], entry["actor"].get("organ", "")] = entry
    for statement in signed:
        if (statement.type, statement.organ) not in recorded:
            raise EvidenceMismatch(
                what=f"{statement.type} of {statement.organ} is not in the log / 日志中没有该操作"
            )
    seals = [entry for (verb, _), entry in recorded.items() if verb == "document.seal"]
    if len(seals) != 1:
        raise EvidenceMismatch(what="the seal is not in the log / 日志中没有用印记录")
    facts = {"sha256": seals[0]["facts"]["sealed_sha256"], "sm3": seals[0]["facts"]["sealed_sm3"]}
    _same(facts, _digests(bundle.sealed), "the sealed file in the log / 日志中的用印文件")
    logs = "、".join(log.name for log in trust.logs[:1])
    held.append(
        Text(
            f"{len(bundle.proofs)} 项操作都在日志 {logs} 中(共 {size} 条),由日志公钥证明",
            f"{len(bundle.proofs)} acts are in the log {logs} (of {size} entries), as its key proves",
        )
    )


def _digests(data: bytes) -> dict[str, str]:
    return {"sha256": INTL.hash.digest(data).hex(), "sm3": SM.hash.digest(data).hex()}


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise EvidenceMismatch(what=what)


def _who(certificate: Certificate) -> str:
    subject = certificate.subject
    parts = (
        subject.get("organizationName"),
        subject.get("organizationalUnitName"),
        subject.get("commonName"),
    )
    return " ".join(part for part in parts if part)


def _when(at: datetime) -> str:
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S")
