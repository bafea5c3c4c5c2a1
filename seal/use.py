"""Using a seal: begun on an approval, signed for in the key centre, finished with what came out; each use in the register.

A use that was cut short is begun again under the same approval: it stays one use, and says how often it was begun.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audit.errors import EntryNotFound
from seal.errors import NotApproved, NotBoundInSuite, SealNotInUse, UseOver, UseUnknown
from seal.find import Registered, Use, used
from seal.find import seal as find_seal
from seal.find import use as find_use
from seal.models import Sort, State, UseRow
from seal.words import STATES
from yinxin.act import Actor
from yinxin.act import Outcome as Ended
from yinxin.store import Act
from yinxin.text import Text

if TYPE_CHECKING:
    from seal.service import Seals

BEGIN, SIGN, FINISH = "seal.use", "seal.sign", "seal.finish-use"
#: signatures that one beginning allows: PDF and its detached SM2 signature, OFD, and one in reserve
SIGNATURES = 4


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a seal is to be put on: `subject` as the log names it, its title, the entry that approved it, and how often."""

    subject: str
    title: str
    approval: str
    impressions: int = 1


def begin(seals: "Seals", actor: Actor, id_: str, purpose: Purpose) -> Use:
    """Begin a use; it may then sign `SIGNATURES` times. Raises SealUnknown, SealNotInUse, NotApproved, Denied."""
    with seals.store.refusing(actor, BEGIN, f"seal:{id_[:40]}"):
        seal = find_seal(seals.store, id_)
        _usable(seals, seal)
        verb, approver = _approved(seals, actor, seal, purpose)
    decision = seals.decider.require(actor, BEGIN, seal.resource(approval=verb))
    same = (
        sa.select(UseRow).where(UseRow.seal == seal.id, UseRow.approval == purpose.approval).with_for_update()
    )
    facts = {"organ": seal.organ, "on": purpose.subject, "approval": f"entry:{purpose.approval}"}
    with seals.store.act(actor, BEGIN, f"seal:{seal.id}", impressions=purpose.impressions, **facts) as act:  # type: ignore[arg-type]
        act.decision = decision.record()
        row = act.session.scalars(same).one_or_none()
        if row is None:
            row = UseRow(
                id=seals.store.identifier(),
                seal=seal.id,
                organ=seal.organ,
                approval=purpose.approval,
                times=0,
            )
            act.session.add(row)
        row.subject, row.title, row.impressions = purpose.subject, purpose.title, purpose.impressions
        row.person, row.post, row.approved_by = actor.id, actor.post, approver
        row.begun, row.times, row.left = seals.store.clock.now(), row.times + 1, SIGNATURES
        row.finished, row.sha256, row.sm3 = None, None, None
        act.session.flush()
        act.facts |= {"use": row.id, "times": row.times}
        return used(row)


def sign(seals: "Seals", actor: Actor, use: str, suite: str, digest: bytes) -> bytes:
    """The seal's signature over `digest` (what `PublicKey.prehash` gives) in one suite; the record commits first or with it.

    Raises UseUnknown, UseOver, SealNotInUse, NotBoundInSuite, Denied, BadDigest, and what the key centre raises.
    """
    with seals.store.refusing(actor, SIGN, f"seal-use:{use[:40]}"):
        begun = _own(seals, actor, use)
        seal = find_seal(seals.store, begun.seal)
        _usable(seals, seal)
        key = next((each.key for each in seal.bindings if each.suite == suite and each.key), None)
        if key is None:
            raise NotBoundInSuite(name=seal.name, suite=suite[:16])
        signer = seals.keys.signer(key)
    decision = _still(seals, actor, seal, begun)
    with seals.store.act(actor, SIGN, f"seal-use:{use}", digest=digest.hex(), suite=suite) as act:
        act.decision = decision
        act.facts |= {"seal": f"seal:{seal.id}", "on": begun.subject, "key": f"key:{key}"}
        row = _locked(act, use)
        if row.finished is not None or row.left < 1:
            raise UseOver(use=use)
        row.left -= 1
        return signer.sign_prehashed(digest)


def finish(seals: "Seals", actor: Actor, use: str, *, sha256: str, sm3: str) -> Use:
    """Say what came out, by its digests: the use signs nothing more. Raises UseUnknown, UseOver, Denied."""
    with seals.store.refusing(actor, FINISH, f"seal-use:{use[:40]}"):
        begun = _own(seals, actor, use)
        seal = find_seal(seals.store, begun.seal)
    decision = _still(seals, actor, seal, begun)
    with seals.store.act(actor, FINISH, f"seal-use:{use}", sha256=sha256, sm3=sm3, on=begun.subject) as act:
        act.decision = decision
        row = _locked(act, use)
        if row.finished is not None:
            raise UseOver(use=use)
        row.finished, row.left, row.sha256, row.sm3 = seals.store.clock.now(), 0, sha256, sm3
        act.session.flush()
        return used(row)


def _usable(seals: "Seals", seal: Registered) -> None:
    """Raise SealNotInUse unless it is active, within its time, and each of its certificates unrevoked."""
    now = seals.store.clock.now()
    if seal.state is not State.ACTIVE:
        raise SealNotInUse(name=seal.name, state=STATES[seal.state])
    if not seal.valid_from <= now <= seal.valid_until:
        raise SealNotInUse(
            name=seal.name, state=Text("不在有效期内，请换发", "past its time; have it replaced")
        )
    if any(seals.authority.checker.revoked(each.certificate.fingerprint) for each in seal.bindings):
        raise SealNotInUse(
            name=seal.name, state=Text("其证书已撤销或暂停", "a certificate of it is revoked or suspended")
        )


def _approved(seals: "Seals", actor: Actor, seal: Registered, purpose: Purpose) -> tuple[str, str]:
    """Verb and author of the approving entry.

    Raises NotApproved unless it is a completed act on that very subject, done for the seal's own organ by somebody else, or of a name
    seal by its holder. Where several organs issue a document, each leader so approves the use of her own organ's seal and of no other.
    """

    def refused(zh: str, en: str) -> NotApproved:
        return NotApproved(approval=purpose.approval[:40], subject=purpose.subject, reason=Text(zh, en))

    try:
        entry = seals.entry(purpose.approval)
    except EntryNotFound as error:
        raise refused("没有这条记录", "there is no such entry") from error
    if entry.subject != purpose.subject:
        raise refused(f"它是关于 {entry.subject} 的", f"it is about {entry.subject}")
    if entry.outcome != Ended.DONE:
        raise refused("该操作没有完成", "that act was not completed")
    fields = entry.fields()
    if fields["actor"].get("organ") != seal.organ:
        raise refused("批准人不代表本机关", "whoever approved it did not act for the seal's organ")
    who = fields["actor"]["id"]
    if seal.sort is Sort.PERSONAL:  # it stands for her name under what she has signed herself
        if who != seal.holder or who != actor.id:
            raise refused(
                "签名章只能由本人用于本人签发的事项",
                "a name seal is put on by its holder, on what she signed herself",
            )
    elif who == actor.id:
        raise refused("批准人与用印人是同一人", "the same person approved it and would use the seal")
    return entry.verb, who


def _still(seals: "Seals", actor: Actor, seal: Registered, begun: Use) -> dict[str, Any]:
    """The record of the permission as it is now: a keeper who has left her post since signs no more. Raises Denied."""
    verb = seals.entry(begun.approval).verb
    return seals.decider.require(actor, BEGIN, seal.resource(approval=verb)).record()


def _own(seals: "Seals", actor: Actor, use: str) -> Use:
    """A use, for whoever began it; raises UseUnknown."""
    found = find_use(seals.store, use)
    if found.person != actor.id:
        raise UseUnknown(use=use)
    return found


def _locked(act: Act, use: str) -> UseRow:
    return act.session.get_one(UseRow, use, with_for_update=True)
