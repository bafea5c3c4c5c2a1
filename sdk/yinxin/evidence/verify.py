"""Check evidence offline and say in words what holds.

`verify` takes the bytes of an evidence bundle, of a sealed PDF or OFD or of an attribute certificate, and what the reader trusts. It adds a sentence to
`held` for each thing that was shown, and raises the first thing that does not hold. With an evidence record it follows the renewals
first, and then judges the file as of the instant since when the record proves that it was there.
"""

from collections.abc import Mapping
from datetime import datetime

from yinxin import ofd, pdf
from yinxin.clock import official
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import INTL, SM
from yinxin.crypto.timestamps import Token
from yinxin.evidence import (
    attribute,
    authority,
    container,
    delegation,
    exchanged,
    log,
    sealed_ofd,
    signed_file,
)
from yinxin.evidence.attached import hold
from yinxin.evidence.attribute import NOTHING_BESIDE, Beside
from yinxin.evidence.bundle import Bundle, SignedAct
from yinxin.evidence.carried import (
    SIGN_OFF,
    content_of,
    countersigned,
    fitting,
    joint_of,
    organs_seal,
    sealed_by_all,
    signed_off,
    signed_off_by,
    who,
)
from yinxin.evidence.compare import digests, same
from yinxin.evidence.delegation import SignedDelegation
from yinxin.evidence.errors import AlgorithmLapsed, UnknownFile
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

#: what the people's acts are called in sentences
_ACTS: Mapping[str, Text] = {
    "document.sign-off": Text("签发了本文内容", "signed off its content"),
    "document.countersign": Text("会签了本文内容", "countersigned its content"),
    "document.receive": Text("签收了本文", "signed for it"),
    "document.return": Text("退回了本文", "returned it"),
    "document.regrade": Text("变更了本文的密级", "regraded it"),
    "document.extend-secrecy": Text("延长了本文的保密期限", "extended its period of secrecy"),
    "document.declassify": Text("解除了本文的密级", "declassified it"),
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
    """Check a bundle, a sealed PDF or OFD, an attribute certificate, a stretch or an extract of a log; raises UnknownFile or what does not hold.

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
                f"证据记录证明文件自 {official(at)} 起已存在；文件内容本身未作判断",
                f"the evidence record proves that the file has been there since {official(at)}; what it says was not judged",
            )
        )


def _by_kind(data: bytes, trust: Trust, at: datetime, held: list[Text], beside: Beside) -> None:
    if beside.attached and not data.startswith((b"PK", b"%PDF")):
        hold((), beside.attached, held)  # it names no files: none was judged by it
    if ofd.is_one(data):
        sealed_ofd.verify(data, trust, at=at, held=held, beside=beside)
    elif data.startswith(b"PK"):  # first: a container may hold the text of an attribute certificate
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
    if exchanged.DESCRIPTOR in files:
        exchanged.ExchangedMessage.of(files).verify(manifest, signature, trust, held)
        hold((), beside.attached, held)
        return
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
            f"证据包完整：{len(files)} 个文件与清单一致，清单由 {who(packed.certificate)} 于 {official(packed.at)} 签名",
            f"The bundle is whole: {len(files)} files match the manifest signed by {who(packed.certificate)} at {official(packed.at)}",
        )
    )
    seals, content = _sealed(bundle.sealed, trust, at, held, beside)
    _sm(bundle, seals[-1], around, held)
    with fitting("a statement of another form / 声明格式不符"):
        signed = [_act(act, bundle, content, around, held) for act in bundle.acts]
    sign_offs = [each for each in signed if each.statement.type == "document.sign-off"]
    same(len(sign_offs), 1, "one sign-off / 一份签发")
    joint = {each["id"] for each in joint_of(content)}
    by = {each.statement.organ for each in signed if each.statement.type == "document.countersign"}
    same(by, joint, "the organs that countersigned / 会签机关")
    with fitting("a log entry of another form / 日志记录格式不符"):
        log.check(bundle, seals, signed, trust, held)
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
            f"{who(signed.certificate)} 于 {official(signed.at)} 签署了文件《{part.name}》，此后未被改动；当时证书有效",
            f"{who(signed.certificate)} signed the file {part.name} at {official(signed.at)}, unchanged since; the certificate was good then",
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
                f"日志规模 {size} 的检查点在 {official(token.at)} 已存在，有时间戳为证",
                f"the log's checkpoint of size {size} existed at {official(token.at)}, as a timestamp proves",
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
                f"日志规模 {size} 的检查点在 {official(since)} 已存在，有时间戳为证，续期 {times} 次",
                f"the log's checkpoint of size {size} existed at {official(since)}, as a timestamp proves that was renewed {times} times",
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
        raise AlgorithmLapsed(algorithm=found[1], ended=official(found[0]))


def _sealed(
    data: bytes, trust: Trust, at: datetime, held: list[Text], beside: Beside
) -> tuple[list[Certificate], bytes]:
    """Check the sealed PDF, that the leader's signed content inside is what her statement names, and that the organs it names have sealed.

    Gives the seals' certificates, the issuing organ's last, and that content.
    """
    intl = [root for root in trust.roots if root.public_key.suite is INTL]
    sealed = pdf.verify_all(data, intl, at)
    for each in sealed:
        organs_seal(each.certificate)
        held.append(
            Text(
                f"印章有效：{who(each.certificate)} 于 {official(each.at)} 盖章，此后未被改动",
                f"The seal holds: {who(each.certificate)} sealed it at {official(each.at)}, unchanged since",
            )
        )
    seals = [each.certificate for each in sealed]
    content = content_of(pdf.attachments(data), held, beside)
    sealed_by_all(content, seals)
    return seals, content


def _signed_off(data: bytes, trust: Trust, held: list[Text]) -> None:
    """Check the leaders' signatures that a bare PDF carries, with the proofs that the PDF itself brings.

    Those are of the intl suite; a signature by SM2 needs the bundle, and that is said.
    """
    inside = pdf.attachments(data)
    store = read.security_store(data)
    crls = tuple(map(CertificateList.load, store.crls))
    for name in (SIGN_OFF, *countersigned(inside, inside["content.json"])):
        by = signed_off_by(inside, name)
        if by.certificate.public_key.suite is not INTL:
            held.append(
                Text(
                    f"{who(by.certificate)} 的签名使用国密算法，请用证据包核验其证书",
                    f"{who(by.certificate)} signed by SM2; check the certificate with the bundle",
                )
            )
            continue
        token = by.timestamp_token
        stamped = token.certificates if token else ()
        brought = (*by.chain, *stamped, *map(Certificate.load, store.certificates))
        signed_off(inside, Surroundings(trust, brought, crls), held, name)


def _sm(bundle: Bundle, seal: Certificate, around: Surroundings, held: list[Text]) -> None:
    signed = check(bundle.sealed_sm, bundle.sealed, around)
    organs_seal(signed.certificate)
    same(signed.certificate.public_key.suite.name, SM.name, "the suite of the second seal / 第二印章的算法")
    organs = [each.subject.get("organizationName") for each in (signed.certificate, seal)]
    same(organs[0], organs[1], "the organ of the second seal / 第二印章的机关")
    held.append(
        Text(
            f"国密印章有效：{who(signed.certificate)} 以 SM2/SM3 于 {official(signed.at)} 签名",
            f"The SM2 seal holds: {who(signed.certificate)} signed with SM2/SM3 at {official(signed.at)}",
        )
    )


def _carried(inside: Mapping[str, bytes], name: str) -> tuple[bytes | None, bytes | None, bytes]:
    """What a sealed file carries of a signature: statement, signature, delegation."""
    return inside.get(f"{name}.json"), inside.get(f"{name}.p7s"), inside.get(f"{name}.delegation", b"")


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
        same(_carried(inside, SIGN_OFF), (act.statement, act.cms, act.delegation), "sign-off / 签发")
    elif statement.type == "document.countersign":
        same(statement.content.get("content"), digests(content), "the content countersigned / 会签内容")
        inside = pdf.attachments(bundle.sealed)
        held_inside = [_carried(inside, name) for name in countersigned(inside, content)]
        own = (act.statement, act.cms, act.delegation)
        same(held_inside.count(own), 1, "the countersignature / 会签")
    else:
        same(statement.content.get("sealed"), digests(bundle.sealed), "the document received / 收到的文件")
    words = _ACTS.get(statement.type, Text(statement.type, statement.type))
    reason = statement.content.get("reason", {}).get("text")
    held.append(
        Text(
            f"{who(signed.certificate)} 于 {official(signed.at)} {words.zh}"
            + (f"，理由：{reason}" if reason else "")
            + "；当时证书有效",
            f"{who(signed.certificate)} {words.en} at {official(signed.at)}"
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
