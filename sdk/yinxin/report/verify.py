"""Check a report offline and say in words what holds."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from yinxin import canonical, pdf
from yinxin.canonical import NotCanonical
from yinxin.clock import official, parse_rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.evidence.compare import digests, same
from yinxin.evidence.errors import EvidenceAltered, EvidenceMismatch
from yinxin.evidence.log import witnessed
from yinxin.evidence.trust import Trust
from yinxin.report.files import ENTRIES, POLICY, PROOFS, RECORD, REPORT, TYPE, decode_proofs
from yinxin.text import Text
from yinxin.tlog import CosignatureVerifier, LogProof, Note, Policy

#: the act that records a report
_MAKE = "audit.make-report"


def verify(data: bytes, trust: Trust, *, at: datetime, held: list[Text]) -> None:
    """Check a report as of `at`; raises the first thing that does not hold.

    1. The seal holds and is a platform's own, and nothing was changed since: what the pages say is its word alone. 2. The files inside are those that the report names. 3. The log
    recorded the making of this very report. 4. Every entry it was made from is in the log, in order and once. A
    sentence is added to `held` for each thing that was shown.
    """
    roots = [root for root in trust.roots if root.public_key.suite is INTL]
    sealed = pdf.verify(data, roots, at)
    _platform(sealed.certificate)
    subject = sealed.certificate.subject
    who = " ".join(filter(None, (subject.get("organizationName"), subject.get("commonName"))))
    held.append(
        Text(
            f"签名有效：{who} 于 {official(sealed.at)} 签名，此后未被改动",
            f"The signature holds: {who} signed it at {official(sealed.at)}, unchanged since",
        )
    )
    inside = pdf.attachments(data)
    try:
        report = canonical.decode(inside[REPORT])
        _files(report, inside)
        held.append(_whole(report))
        brought = [Policy.parse(inside[POLICY])] if POLICY in inside else []
        keys = {each.verifier for policy in (*trust.policies, *brought) for each in policy.witnesses.values()}
        notes = {_recorded(report, inside, trust, keys, held), *_entries(report, inside, trust, keys, held)}
        witnessed(notes, trust, brought, held)
    except (KeyError, TypeError, AttributeError, ValueError, NotCanonical) as error:
        if isinstance(error, YinxinError) and not isinstance(error, NotCanonical):
            raise
        raise EvidenceMismatch(what=Text("报告的格式不符", "a report of another form")) from error


def _platform(certificate: Certificate) -> None:
    """A person or an organ could put true files behind other pages and sign that: only a platform's seal speaks for both.

    Its certificate is for documents alone, and names nobody by a number and no organ by its code (profile `evidence`).
    """
    named = certificate.subject.as_dict().keys() - {"countryName", "organizationName", "commonName"}
    if named or certificate.extended_key_usage != frozenset({"documentSigning"}):
        raise EvidenceMismatch(
            what=Text(
                f"报告由“{certificate.subject.text}”签名，而不是由平台签名",
                f"the report is signed by “{certificate.subject.text}” and not by a platform",
            )
        )


def _files(report: Mapping[str, Any], inside: Mapping[str, bytes]) -> None:
    """Each file named is the one that was named, and none is there that nobody names."""
    same((report["v"], report["type"]), (1, TYPE), "the type of the report / 报告的类型")
    named = {**report["files"]}
    for name, expected in named.items():
        if name not in inside or digests(inside[name]) != expected:
            raise EvidenceAltered(file=name)
    same(set(inside) - {POLICY}, {REPORT, PROOFS, RECORD, *named}, "the files inside / 内附文件")
    same(ENTRIES in named, True, "the entries / 记录原文")


def _whole(report: Mapping[str, Any]) -> Text:
    title = report["title"]
    since, until = (official(parse_rfc3339(report[name])) for name in ("since", "until"))
    return Text(
        f"《{title['zh']}》（{since} 至 {until}）的 {len(report['files'])} 个附件与报告所列一致",
        f"“{title['en']}” ({since} to {until}): its {len(report['files'])} files are those that it names",
    )


def _recorded(
    report: Mapping[str, Any],
    inside: Mapping[str, bytes],
    trust: Trust,
    keys: Collection[CosignatureVerifier],
    held: list[Text],
) -> Note:
    """Check the proof of the report's own record; the checkpoint it rests on."""
    proof = LogProof.decode(inside[RECORD])
    checkpoint = proof.verify(trust.logs, keys)
    entry = canonical.decode(proof.entry)
    what = "the record of its making / 编制记录"
    same((entry["verb"], entry["outcome"]), (_MAKE, "done"), what)
    same(entry["subject"], f"report:{report['id']}", what)
    same(entry["facts"]["content"], digests(inside[REPORT]), what)
    held.append(
        Text(
            f"日志 {checkpoint.origin} 第 {proof.index} 条记录了这份报告的编制，内容摘要一致",
            f"Entry {proof.index} of the log {checkpoint.origin} records the making of this very report",
        )
    )
    return proof.checkpoint


def _entries(
    report: Mapping[str, Any],
    inside: Mapping[str, bytes],
    trust: Trust,
    keys: Collection[CosignatureVerifier],
    held: list[Text],
) -> set[Note]:
    """Check the proof of every entry; the checkpoint they rest on, if there are any."""
    leaves = inside[ENTRIES].splitlines(keepends=True)
    same(len(leaves), report["entries"], "the number of entries / 记录条数")
    if not leaves:
        held.append(
            Text("报告没有所据的日志记录", "The report rests on no entry of the log; it says so itself")
        )
        return set()
    same(all(each.endswith(b"\n") for each in leaves), True, "whole lines / 行不完整")
    last, checkpoint = -1, None
    proofs = decode_proofs(inside[PROOFS], [each[:-1] for each in leaves])
    same([proof.index for proof in proofs], report["indexes"], "the places of its entries / 记录的位置")
    for proof in proofs:
        checkpoint = proof.verify(trust.logs, keys)
        same(proof.index > last, True, "the order of its entries / 记录的顺序")
        last = proof.index
    assert checkpoint is not None  # noqa: S101 - there is at least one line
    same(checkpoint.origin, report["log"], "whose log it is / 日志的名称")
    held.append(
        Text(
            f"所据的 {len(leaves)} 条记录都在日志 {checkpoint.origin} 中（共 {checkpoint.size} 条），由日志公钥证明",
            f"All {len(leaves)} entries that it rests on are in the log {checkpoint.origin} (of {checkpoint.size}), as its key proves",
        )
    )
    return {proofs[0].checkpoint}
