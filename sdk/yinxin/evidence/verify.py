"""Check evidence offline and say in words what holds.

`verify` takes the bytes of an evidence bundle, of a sealed PDF or of an attribute certificate, and what the reader trusts. It adds a sentence to
`held` for each thing that was shown, and raises the first thing that does not hold. With an evidence record it follows the renewals
first, and then judges the file as of the instant since when the record proves that it was there.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from yinxin import pdf
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL, SM
from yinxin.crypto.timestamps import Token
from yinxin.evidence import attribute, authority, container, delegation, log, signed_file
from yinxin.evidence.attached import hold
from yinxin.evidence.attribute import NOTHING_BESIDE, Beside
from yinxin.evidence.bundle import Bundle, SignedAct
from yinxin.evidence.compare import digests, same
from yinxin.evidence.delegation import SignedDelegation
from yinxin.evidence.errors import AlgorithmLapsed, EvidenceMismatch, UnknownFile
from yinxin.evidence.extract import Extract, is_extract
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.record import EvidenceRecord, follow
from yinxin.evidence.signatures import Surroundings, check
from yinxin.evidence.signed_file import SignedFile
from yinxin.evidence.stretch import Stretch, is_stretch
from yinxin.evidence.trust import Trust
from yinxin.pdf import read
from yinxin.statement import Statement
from yinxin.text import Text
from yinxin.tlog import Checkpoint, LogProof

_CHINA = timezone(timedelta(hours=8))

#: what the people's acts are called in sentences
_ACTS: Mapping[str, Text] = {
    "document.sign-off": Text("签发了本文内容", "signed off its content"),
    "document.receive": Text("签收了本文", "signed for it"),
    "document.return": Text("退回了本文", "returned it"),
}


def verify(
    data: bytes,
    trust: Trust,
    *,
    at: datetime,
    held: list[Text],
    beside: Beside = NOTHING_BESIDE,
    record: bytes | None = None,
) -> None:
    """Check a bundle, a sealed PDF, an attribute certificate, a stretch or an extract of a log; raises UnknownFile or what does not hold.

    It is judged as of `at`. `beside` is what else it is judged with: an attribute certificate needs more than itself, and evidence
    names the files that were attached; the others bring all they need.
    `record` is the file's evidence record (RFC 4998): with it any file can be checked to have been there.
    """
    if record is not None:
        at = follow(EvidenceRecord.decode(record), data, trust.roots, trust.ages, at=at, held=held).since
    try:
        _by_kind(data, trust, at, held, beside)
    except UnknownFile:
        if record is None:
            raise
        held.append(
            NotJudged(
                f"证据记录证明文件自 {_when(at)} 起已存在；文件内容本身未作判断",
                f"the evidence record proves that the file has been there since {_when(at)}; what it says was not judged",
            )
        )


def _by_kind(data: bytes, trust: Trust, at: datetime, held: list[Text], beside: Beside) -> None:
    if beside.attached and not data.startswith((b"PK", b"%PDF")):
        hold((), beside.attached, held)  # it names no files: none was judged by it
    if data.startswith(b"PK"):  # first: a container may hold the text of an attribute certificate
        _bundle(data, trust, at, held, beside)
    elif data.startswith(b"%PDF"):
        _sealed(data, trust, at, held, beside)
        _signed_off(data, trust, held)
    elif attribute.is_one(data):
        attribute.verify(data, trust, beside, at=at, held=held)
    elif is_stretch(data):
        Stretch.decode(data).verify(trust, held)
    elif is_extract(data):
        Extract.decode(data).verify(trust, held)
    elif attribute.is_content_info(data):
        raise UnknownFile(
            reason=Text(
                "这是单独的签名，不带被签的文件、时间和证书状态：请用 openssl cms -verify 对照原文件，或请签署人给出 .asice",
                "a signature alone, without its file, a time and the certificate's state: hold it against the file with openssl cms -verify, or ask the signer for an .asice",
            )
        )
    else:
        raise UnknownFile(reason=Text("不属于任何一种", "of none of these kinds"))


def _bundle(data: bytes, trust: Trust, at: datetime, held: list[Text], beside: Beside) -> None:
    files, manifest, signature = container.unpack(data)
    if signed_file.DESCRIPTOR in files:
        part = _file(files, manifest, signature, trust, at=at, held=held)
        if beside.attached:
            hold([{"name": part.name, **digests(part.data)}], beside.attached, held)
        return
    bundle = Bundle.of(files)
    around = _around(bundle, trust, at)
    packed = check(signature, manifest, around)
    held.append(
        Text(
            f"证据包完整：{len(files)} 个文件与清单一致，清单由 {_who(packed.certificate)} 于 {_when(packed.at)} 签名",
            f"The bundle is whole: {len(files)} files match the manifest signed by {_who(packed.certificate)} at {_when(packed.at)}",
        )
    )
    seal, content = _sealed(bundle.sealed, trust, at, held, beside)
    _sm(bundle, seal, around, held)
    with _fitting("a statement of another form / 声明格式不符"):
        signed = [_act(act, bundle, content, around, held) for act in bundle.acts]
    sign_offs = [each for each in signed if each.statement.type == "document.sign-off"]
    same(len(sign_offs), 1, "one sign-off / 一份签发")
    with _fitting("a log entry of another form / 日志记录格式不符"):
        log.check(bundle, seal, signed, trust, held)
    _stamps(bundle, around, held)
    _records(bundle, trust, held)


def _around(part: Bundle | SignedFile, trust: Trust, at: datetime) -> Surroundings:
    """What the evidence brings, none of it unexplained and none of it made with what is no longer believed."""
    around = Surroundings(
        trust,
        tuple(Certificate.load(each) for each in part.certificates),
        tuple(CertificateList.load(each) for each in part.crls),
    )
    _needed(around, at)
    _aged(around, at)
    return around


def _file(
    files: Mapping[str, bytes],
    manifest: bytes,
    signature: bytes,
    trust: Trust,
    *,
    at: datetime,
    held: list[Text],
) -> SignedFile:
    """Check a file that somebody signed on her own side, and say who and when. It is no act of the platform's, and in no log."""
    part = SignedFile.of(files)
    signed = check(signature, manifest, _around(part, trust, at), part.ocsps)
    held.append(
        Text(
            f"{_who(signed.certificate)} 于 {_when(signed.at)} 签署了文件《{part.name}》，此后未被改动；当时证书有效",
            f"{_who(signed.certificate)} signed the file {part.name} at {_when(signed.at)}, unchanged since; the certificate was good then",
        )
    )
    return part


def _stamps(bundle: Bundle, around: Surroundings, held: list[Text]) -> None:
    """Each timestamp is over a checkpoint of these proofs, by an authority that was good then."""
    texts = {LogProof.decode(each).checkpoint.text for each in bundle.proofs}
    for each in bundle.stamps:
        token = Token.load(each)
        over = [text for text in texts if token.hash.digest(text.encode()) == token.digest]
        same(len(over), 1, "a timestamp of no checkpoint / 时间戳不属于任何检查点")
        token.verify(
            over[0].encode(),
            anchors=around.trust.roots,
            intermediates=around.certificates,
            revocation=RevocationEvidence(crls=around.crls),
        )
        size = Checkpoint.parse(over[0]).size
        held.append(
            Text(
                f"日志规模 {size} 的检查点在 {_when(token.at)} 已存在，有时间戳为证",
                f"the log's checkpoint of size {size} existed at {_when(token.at)}, as a timestamp proves",
            )
        )


def _records(bundle: Bundle, trust: Trust, held: list[Text]) -> None:
    """Each evidence record is of a checkpoint of these proofs, and its links held as of the last of them."""
    texts = {LogProof.decode(each).checkpoint.text for each in bundle.proofs}
    for each in bundle.records:
        record = EvidenceRecord.decode(each)
        first = record.links[0].token
        over = [text for text in texts if first.hash.digest(text.encode()) == first.digest]
        same(len(over), 1, "an evidence record of no checkpoint / 证据记录不属于任何检查点")
        size, at = Checkpoint.parse(over[0]).size, record.last.token.at
        told: list[Text] = []
        since = follow(record, over[0].encode(), trust.roots, trust.ages, at=at, held=told).since
        held += [text for text in told if isinstance(text, NotJudged)]
        times = len(record.links) - 1
        held.append(
            Text(
                f"日志规模 {size} 的检查点在 {_when(since)} 已存在，有时间戳为证，续期 {times} 次",
                f"the log's checkpoint of size {size} existed at {_when(since)}, as a timestamp proves that was renewed {times} times",
            )
        )


def _needed(around: Surroundings, at: datetime) -> None:
    """Every certificate that the evidence lists must itself lead to a trusted root: nothing is there unexplained.

    Whether one was revoked matters at the time it signed, which `check` judges; a later revocation changes nothing.
    """
    for each in around.certificates:
        if each not in around.trust.roots:
            validate(
                each,
                around.certificates,
                around.trust.roots,
                at=min(at, each.not_after),
                usage=Usage.ANY,
                require_revocation=False,
            )


def _aged(around: Surroundings, at: datetime) -> None:
    """What the certificates and their signatures were made with is still believed; raises AlgorithmLapsed."""
    every = (*around.certificates, *around.trust.roots)
    used = {each.issuer.der for each in around.certificates}
    names = {
        name
        for each in every
        if each in around.certificates or each.subject.der in used
        for name in (each.public_key.kind, each.signature_algorithm.hash.name)
    }
    found = around.trust.ages.first(sorted(names))
    if found is not None and found[0] <= at:
        raise AlgorithmLapsed(algorithm=found[1], ended=_when(found[0]))


def _sealed(
    data: bytes, trust: Trust, at: datetime, held: list[Text], beside: Beside
) -> tuple[Certificate, bytes]:
    """Check the sealed PDF, and that the leader's signed content inside is what her statement names.

    Gives the seal's certificate and that content.
    """
    intl = [root for root in trust.roots if root.public_key.suite is INTL]
    sealed = pdf.verify(data, intl, at)
    _organs_seal(sealed.certificate)
    held.append(
        Text(
            f"印章有效：{_who(sealed.certificate)} 于 {_when(sealed.at)} 盖章，此后未被改动",
            f"The seal holds: {_who(sealed.certificate)} sealed it at {_when(sealed.at)}, unchanged since",
        )
    )
    inside = pdf.attachments(data)
    try:
        content, statement = inside["content.json"], Statement.decode(inside["sign-off.json"])
    except KeyError as error:
        raise EvidenceMismatch(what=f"{error.args[0]} is not in the document") from error
    same(statement.content.get("content"), digests(content), "the content signed off / 签发内容")
    with _fitting("the content's form / 内容格式不符"):
        body = json.loads(content)
        title = str(body["title"])
    held.append(
        Text(
            f"文件内附签发内容《{title}》，与签发声明一致",
            f"It carries the content signed off, 《{title}》, as the statement names it",
        )
    )
    with _fitting("the files that the content names / 内容所载附件"):
        hold(body.get("files", ()), beside.attached, held)
    return sealed.certificate, content


def _signed_off(data: bytes, trust: Trust, held: list[Text]) -> None:
    """Check the leader's signature that a bare PDF carries, with the proofs that the PDF itself brings.

    Those are of the intl suite; a sign-off by SM2 needs the bundle, and that is said.
    """
    inside = pdf.attachments(data)
    statement = Statement.decode(inside["sign-off.json"])
    try:
        signature = inside["sign-off.p7s"]
    except KeyError as error:
        raise EvidenceMismatch(what="sign-off.p7s is not in the document / 文件内没有签发签名") from error
    by = cms.verify_detached(signature, inside["sign-off.json"])
    same(by.certificate.subject.get("serialNumber"), statement.person, "the signer of the sign-off / 签发人")
    if by.certificate.public_key.suite is not INTL:
        held.append(
            Text(
                "签发签名使用国密算法，请用证据包核验其证书",
                "The sign-off is signed by SM2; check its certificate with the bundle",
            )
        )
        return
    store = read.security_store(data)
    token = by.timestamp_token
    brought = (*by.chain, *(token.certificates if token else ()), *map(Certificate.load, store.certificates))
    crls = tuple(map(CertificateList.load, store.crls))
    signed = check(signature, inside["sign-off.json"], Surroundings(trust, brought, crls))
    held.append(
        Text(
            f"{_who(signed.certificate)} 于 {_when(signed.at)} 签发了本文内容；当时证书有效",
            f"{_who(signed.certificate)} signed off its content at {_when(signed.at)}; the certificate was good then",
        )
    )


def _organs_seal(certificate: Certificate) -> None:
    """A seal names its organ by code; nobody else's certificate is one, whichever authority issued it.

    The platform's evidence key signs documents too, for every organ's registrar: it puts bundles together, no more.
    """
    if "clientAuth" in (certificate.extended_key_usage or ()):
        raise EvidenceMismatch(
            what=f"a personal certificate as a seal / 个人证书不能用作印章: {_who(certificate)}"
        )
    if not certificate.subject.get("organizationIdentifier"):
        raise EvidenceMismatch(
            what=f"a certificate without the organ's code as a seal / 印章证书没有机关代码: {_who(certificate)}"
        )


def _sm(bundle: Bundle, seal: Certificate, around: Surroundings, held: list[Text]) -> None:
    signed = check(bundle.sealed_sm, bundle.sealed, around)
    _organs_seal(signed.certificate)
    same(signed.certificate.public_key.suite.name, SM.name, "the suite of the second seal / 第二印章的算法")
    organs = [each.subject.get("organizationName") for each in (signed.certificate, seal)]
    same(organs[0], organs[1], "the organ of the second seal / 第二印章的机关")
    held.append(
        Text(
            f"国密印章有效：{_who(signed.certificate)} 以 SM2/SM3 于 {_when(signed.at)} 签名",
            f"The SM2 seal holds: {_who(signed.certificate)} signed with SM2/SM3 at {_when(signed.at)}",
        )
    )


def _act(
    act: SignedAct, bundle: Bundle, content: bytes, around: Surroundings, held: list[Text]
) -> log.Declared:
    statement = Statement.decode(act.statement)
    signed = check(act.cms, act.statement, around, [act.ocsp])
    same(statement.subject, bundle.subject, "the subject of a statement / 声明对象")
    same(
        signed.certificate.subject.get("serialNumber"), statement.person, "the signer of a statement / 声明人"
    )
    if statement.type == "document.sign-off":
        same(statement.content.get("content"), digests(content), "the content signed off / 签发内容")
        inside = pdf.attachments(bundle.sealed)
        same(
            (inside.get("sign-off.json"), inside.get("sign-off.p7s")),
            (act.statement, act.cms),
            "sign-off / 签发",
        )
    else:
        same(statement.content.get("sealed"), digests(bundle.sealed), "the document received / 收到的文件")
    words = _ACTS.get(statement.type, Text(statement.type, statement.type))
    reason = statement.content.get("reason", {}).get("text")
    held.append(
        Text(
            f"{_who(signed.certificate)} 于 {_when(signed.at)} {words.zh}"
            + (f"，理由：{reason}" if reason else "")
            + "；当时证书有效",
            f"{_who(signed.certificate)} {words.en} at {_when(signed.at)}"
            + (f", because: {reason}" if reason else "")
            + "; the certificate was good then",
        )
    )
    if act.attributes:
        authority.check(act, statement, signed, around, held)
    if not act.delegation:
        return log.Declared(statement, signed.certificate)
    by = SignedDelegation.decode(act.delegation)
    delegation.check(by, statement, signed, around, held)
    return log.Declared(statement, signed.certificate, by)


@contextmanager
def _fitting(what: str) -> Iterator[None]:
    """What is signed and logged has our form; a field that is missing or of another kind is a misfit, not a crash."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EvidenceMismatch(what=what) from error


def _who(certificate: Certificate) -> str:
    subject = certificate.subject
    parts = (
        subject.get("organizationName"),
        subject.get("organizationalUnitName"),
        subject.get("commonName"),
    )
    return " ".join(dict.fromkeys(part for part in parts if part))


def _when(at: datetime) -> str:
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S+08:00")
