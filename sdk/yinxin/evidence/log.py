"""What the evidence says against what the log recorded."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yinxin import canonical
from yinxin.clock import official
from yinxin.crypto.certificates import Certificate
from yinxin.evidence.bundle import Bundle
from yinxin.evidence.compare import digests, same
from yinxin.evidence.delegation import SIGNED_DELEGATION, SignedDelegation
from yinxin.evidence.errors import (
    BeyondDelegation,
    DelegationMissing,
    EvidenceMismatch,
    MalformedEvidence,
)
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.trust import Trust
from yinxin.statement import Statement
from yinxin.text import Text
from yinxin.tlog import Checkpoint, LogProof, MalformedPolicy, Note, Policy, cosigned


@dataclass(frozen=True, slots=True)
class Declared:
    """A statement whose signature holds, and the certificate it was signed with."""

    statement: Statement
    certificate: Certificate
    #: the delegation that the bundle brings for it
    delegation: SignedDelegation | None = None


def check(
    bundle: Bundle,
    seals: Sequence[Certificate],
    declared: Sequence[Declared],
    trust: Trust,
    held: list[Text],
) -> None:
    """Each proof is of an act done to this very object; each statement and every seal, the last of them with the whole file, were recorded.

    Raises EvidenceMismatch or what a proof fails by; KeyError, TypeError or AttributeError for entries of another form.
    """
    entries, logs, size = [], set(), 0
    brought = _policies(bundle)
    witnesses = {
        each.verifier for policy in (*trust.policies, *brought) for each in policy.witnesses.values()
    }
    notes: set[Note] = set()
    for each in bundle.proofs:
        proof = LogProof.decode(each)
        checkpoint = proof.verify(trust.logs, witnesses)
        notes.add(proof.checkpoint)
        logs.add(checkpoint.origin)
        size = max(size, checkpoint.size)
        entry = canonical.decode(proof.entry)
        same(entry["subject"], bundle.subject, "the subject of a log entry / 日志记录的对象")
        same(entry["outcome"], "done", "the outcome of a log entry / 日志记录的结果")
        entries.append(entry)
    for act in declared:
        recorded = [entry for entry in entries if _records(entry, act)]
        if not recorded:
            what = f"{act.statement.type} of {act.statement.organ}"
            raise EvidenceMismatch(what=Text("日志中没有该操作", f"{what} is not in the log"))
        _delegated(recorded, act)
    _sealing(bundle, seals, entries)
    names = "、".join(sorted(logs))
    held.append(
        Text(
            f"{len(entries)} 项操作都在日志 {names} 中（共 {size} 条），由日志公钥证明",
            f"{len(entries)} acts are in the log {names} (of {size} entries), as its key proves",
        )
    )
    witnessed(notes, trust, brought, held)


def _policies(bundle: Bundle) -> list[Policy]:
    try:
        return [Policy.parse(each) for each in bundle.policies]
    except MalformedPolicy as error:
        raise MalformedEvidence(reason=error) from error


def witnessed(notes: Collection[Note], trust: Trust, brought: Sequence[Policy], held: list[Text]) -> None:
    """Say who cosigned; by the reader's own policy for that log, where she has one, enough must have, each time.

    A policy that the bundle brings is the log's own word: it tells whose signatures those are, and no more.
    """
    judged = False
    origins = {note: Checkpoint.parse(note.text).origin for note in notes}
    for policy in trust.policies:
        known = {each.verifier.name for each in policy.logs}
        found = [policy.check(note) for note, origin in origins.items() if origin in known]
        if not found:
            continue
        judged = True
        names = "、".join(sorted({name for each in found for name in each.cosigned}))
        times = [one.at for each in found for one in each.cosigned.values()]
        needed = policy.words()
        held.append(
            Text(
                f"日志检查点由见证方 {names} 联署（最早 {official(min(times))}），达到您的见证规则：{needed.zh}",
                f"the checkpoint is cosigned by the witnesses {names} (first at {official(min(times))}), as your policy asks: {needed.en}",
            )
            if times
            else Text("您的见证规则不要求见证", "your policy asks for no witness")
        )
    keys = {each.verifier for policy in brought for each in policy.witnesses.values()}
    names = "、".join(sorted({each.by.name for note in notes for each in cosigned(note, keys)}))
    if names and not judged:
        held.append(
            NotJudged(
                f"日志检查点带有见证方 {names} 的联署；您没有该日志的见证规则，未作判断",
                f"the checkpoint carries cosignatures of {names}; you have no policy for that log, so they were not judged",
            )
        )


def _delegated(recorded: Sequence[Mapping[str, Any]], act: Declared) -> None:
    """The log names the delegation that an act was done by, and the digest of what was signed, or none; the bundle brings that very one.

    Whoever puts a bundle together could else bring one that anybody has signed, to the same person for the same post.
    """
    brought = act.delegation.id if act.delegation else None
    by = [entry for entry in recorded if (entry.get("decision") or {}).get("delegation") == brought]
    if not by:
        named = (recorded[0].get("decision") or {}).get("delegation")
        raise DelegationMissing(type=act.statement.type, delegation=named or "-", brought=brought or "-")
    if act.delegation and act.delegation.sha256 not in [
        entry["facts"].get(SIGNED_DELEGATION) for entry in by
    ]:
        other = Text("日志记录的是另一份委托", "the log records another one")
        raise BeyondDelegation(delegation=act.delegation.id, part=other)


def _records(entry: Mapping[str, Any], declared: Declared) -> bool:
    """Whether this entry is of that statement: the act, by that person for that organ, with that certificate."""
    actor, statement = entry["actor"], declared.statement
    return (
        entry["verb"] == statement.type
        and (actor["id"], actor.get("organ"), actor.get("post"))
        == (statement.person, statement.organ, statement.post)
        and actor.get("certificate") in (None, declared.certificate.fingerprint)
    )


def _sealing(bundle: Bundle, seals: Sequence[Certificate], entries: Sequence[Mapping[str, Any]]) -> None:
    """Each seal was put on in an act of its own; the last one's names the file as it is."""
    found = [entry["facts"] for entry in entries if entry["verb"] == "document.seal"]
    if len(found) != len(seals):
        raise EvidenceMismatch(what=Text("日志中没有用印记录", "the seal is not in the log"))
    recorded = [{"sha256": facts["sealed_sha256"], "sm3": facts["sealed_sm3"]} for facts in found]
    closing = [facts for facts, each in zip(found, recorded, strict=True) if each == digests(bundle.sealed)]
    if len(closing) != 1:
        what = "the sealed file in the log / 日志中的用印文件"
        raise EvidenceMismatch(what=what)
    same(closing[0]["seal"], seals[-1].fingerprint, "the seal in the log / 日志中的印章")
    named = sorted(facts["seal"] for facts in found)
    same(named, sorted(each.fingerprint for each in seals), "the seals in the log / 日志中的印章")
