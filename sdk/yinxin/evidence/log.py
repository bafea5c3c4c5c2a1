"""What the evidence says against what the log recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yinxin import canonical
from yinxin.crypto.certificates import Certificate
from yinxin.evidence.bundle import Bundle
from yinxin.evidence.compare import digests, same
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.evidence.trust import Trust
from yinxin.statement import Statement
from yinxin.text import Text
from yinxin.tlog import LogProof


@dataclass(frozen=True, slots=True)
class Declared:
    """A statement whose signature holds, and the certificate it was signed with."""

    statement: Statement
    certificate: Certificate


def check(
    bundle: Bundle, seal: Certificate, declared: Sequence[Declared], trust: Trust, held: list[Text]
) -> None:
    """Each proof is of an act done to this very object; each statement and the one seal were recorded.

    Raises EvidenceMismatch or what a proof fails by; KeyError, TypeError or AttributeError for entries of another form.
    """
    entries, logs, size = [], set(), 0
    for each in bundle.proofs:
        proof = LogProof.decode(each)
        checkpoint = proof.verify(trust.logs)
        logs.add(checkpoint.origin)
        size = max(size, checkpoint.size)
        entry = canonical.decode(proof.entry)
        same(entry["subject"], bundle.subject, "the subject of a log entry / 日志记录的对象")
        same(entry["outcome"], "done", "the outcome of a log entry / 日志记录的结果")
        entries.append(entry)
    for act in declared:
        if not any(_records(entry, act) for entry in entries):
            what = f"{act.statement.type} of {act.statement.organ}"
            raise EvidenceMismatch(what=Text("日志中没有该操作", f"{what} is not in the log"))
    _sealing(bundle, seal, entries)
    names = "、".join(sorted(logs))
    held.append(
        Text(
            f"{len(entries)} 项操作都在日志 {names} 中（共 {size} 条），由日志公钥证明",
            f"{len(entries)} acts are in the log {names} (of {size} entries), as its key proves",
        )
    )


def _records(entry: Mapping[str, Any], declared: Declared) -> bool:
    """Whether this entry is of that statement: the act, by that person for that organ, with that certificate."""
    actor, statement = entry["actor"], declared.statement
    return (
        entry["verb"] == statement.type
        and (actor["id"], actor.get("organ"), actor.get("post"))
        == (statement.person, statement.organ, statement.post)
        and actor.get("certificate") in (None, declared.certificate.fingerprint)
    )


def _sealing(bundle: Bundle, seal: Certificate, entries: Sequence[Mapping[str, Any]]) -> None:
    seals = [entry["facts"] for entry in entries if entry["verb"] == "document.seal"]
    if len(seals) != 1:
        raise EvidenceMismatch(what=Text("日志中没有用印记录", "the seal is not in the log"))
    (facts,) = seals
    recorded = {"sha256": facts["sealed_sha256"], "sm3": facts["sealed_sm3"]}
    same(recorded, digests(bundle.sealed), "the sealed file in the log / 日志中的用印文件")
    same(facts["seal"], seal.fingerprint, "the seal in the log / 日志中的印章")
