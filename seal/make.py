"""Making a seal: applied for, approved by several people, made by the seal maker, bound to whoever may use it (law 3)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca import inventory
from ca.errors import UnknownCertificate
from ca.issue import Wanted, issue_wanted
from ca.lookup import by_key
from ca.request import Holder, IssueRequest
from kms.errors import KeyNotActive, KeyUnknown
from kms.models import Purpose
from seal.change import ended_since
from seal.errors import HolderWithoutCertificate, NoSealMaker, SealMoved
from seal.find import Binding, Registered
from seal.find import seal as find_seal
from seal.models import BindingRow, SealRow, Sort, State
from seal.plan import SealPlan, hold, looks
from seal.words import SORTS, STATES
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.seal import Kind, Seal
from yinxin.crypto.seal import make as write
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.proposal import About, Approved, Concerned, Outcome, ProposalKind
from yinxin.steps import step
from yinxin.text import Text

if TYPE_CHECKING:
    from seal.service import Seals

VERB = "seal.make"
#: the key of the seal maker, and the profile of its certificate
MAKER, PROFILE = "sm-seal-maker", "seal-maker"
#: the suites in which an organ seals
SUITES = (INTL, SM)
#: a replacement takes a new certificate when the present one lasts no longer than this
_ENDING = timedelta(days=90)
_KINDS = {Sort.UNIT: Kind.UNIT, Sort.PERSONAL: Kind.PERSONAL}


def key_label(organ: str, suite: str) -> str:
    """The label of an organ's seal key in the key centre."""
    return f"seal-{organ}-{suite}"


def make(seals: "Seals", actor: Actor, plan: SealPlan, reference: str) -> Registered:
    """The seal of this reference, made once however often it is asked for; nobody is asked here whether it may be.

    1. Keys of the organ in the key centre, and certificates for them, where there are none. 2. The maker signs the
    seal: name, picture, and the certificates that may use it; its validity ends with the first of these. 3. It is
    entered, and the seal that it replaces leaves use in the same act.

    Raises as `seal.plan.hold`, NoSealMaker, HolderWithoutCertificate, and what key centre and authority raise.
    """
    id_ = f"S-{reference}"
    with seals.store.read() as session:
        if session.get(SealRow, id_) is not None:
            return _made(seals, id_)
    hold(seals, plan)
    bindings = tuple(
        _holder(seals, plan) if plan.sort is Sort.PERSONAL else _organ(seals, actor, plan, reference)
    )
    step("seal.make.1-bound")
    structure = _signed(seals, plan, id_, bindings)
    step("seal.make.2-signed")
    with seals.store.act(actor, VERB, f"seal:{id_}", organ=plan.organ, sha256=_digest(structure)) as act:
        act.facts |= {
            "maker": structure.maker.fingerprint,
            "users": [each.certificate.fingerprint for each in bindings],
        }
        if plan.replaces:
            _replace(act.session, plan.replaces, structure)
            act.facts["replaces"] = plan.replaces
        _enter(act.session, plan, structure, bindings)
    return _made(seals, id_)


def _made(seals: "Seals", id_: str) -> Registered:
    return find_seal(seals.store, id_)


def _organ(seals: "Seals", actor: Actor, plan: SealPlan, reference: str) -> Iterator[Binding]:
    """The organ's key and certificate in each suite."""
    now = seals.store.clock.now()
    for suite in SUITES:
        label = key_label(plan.organ, suite.name)
        seals.keys.create(actor, label=label, purpose=Purpose.SEAL, suite=suite, owner=plan.organ)
        signer = seals.keys.signer(label)
        try:
            found = by_key(seals.authority.ctx, INTL.hash.digest(signer.public_key.spki).hex()).certificates[
                0
            ]
            lasting = not plan.replaces or found.not_after - now > _ENDING
        except UnknownCertificate:
            lasting = False
        if not lasting:
            name = seals.directory.organ(plan.organ).name.zh
            request = IssueRequest(
                reference=f"seal/{reference}/{suite.name}",
                profile="organ-seal",
                csr=CertificationRequest.build(signer, (("commonName", name),)).der,
                holder=Holder("organ", plan.organ),
            )
            found = issue_wanted(seals.authority.ctx, actor, Wanted(request)).certificate
        yield Binding(suite.name, label, found)


def _holder(seals: "Seals", plan: SealPlan) -> Iterator[Binding]:
    """The signing certificates of the holder of a personal seal, whose keys are her own; raises HolderWithoutCertificate."""
    wanted = inventory.Filter(holder=plan.holder, state="issued")
    found = [
        inventory.find(seals.authority.ctx, row.serial)
        for row in inventory.search(seals.store, wanted)
        if row.profile.startswith("person-signing")
    ]
    certificates = [Certificate(row.der) for row in found if row.der is not None]
    if not certificates:
        raise HolderWithoutCertificate(holder=plan.holder)
    for each in certificates:
        yield Binding(each.public_key.suite.name, None, each)


def maker(seals: "Seals") -> Identity:
    """The seal maker's key in the key centre with its certificates; raises NoSealMaker."""
    try:
        signer = seals.keys.signer(MAKER)
        own, *above = by_key(seals.authority.ctx, INTL.hash.digest(signer.public_key.spki).hex()).certificates
    except (KeyUnknown, KeyNotActive, UnknownCertificate) as error:
        raise NoSealMaker(label=MAKER) from error
    return Identity(signer, own, tuple(above))


def _signed(seals: "Seals", plan: SealPlan, id_: str, bindings: tuple[Binding, ...]) -> Seal:
    seen, now = looks(seals, plan), seals.store.clock.now()
    certificates = [each.certificate for each in bindings]
    return write(
        maker(seals),
        id=id_,
        type=_KINDS[plan.sort],
        name=seen.name,
        users=certificates,
        picture=seen.picture,
        created=now,
        valid_from=now,
        valid_until=min(each.not_after for each in certificates),
    )


def _digest(structure: Seal) -> str:
    return INTL.hash.digest(structure.der).hex()


def _replace(session: Session, old: str, structure: Seal) -> None:
    """The old seal leaves use; raises SealMoved when it has left it meanwhile."""
    row = session.get_one(SealRow, old, with_for_update=True)
    if row.state not in (State.ACTIVE, State.SUSPENDED):
        raise SealMoved(name=row.name, state=STATES[State(row.state)])
    row.changed = ended_since(row, State.REPLACED, structure.created)
    row.state, row.reason = State.REPLACED, "replaced"


def _enter(session: Session, plan: SealPlan, structure: Seal, bindings: tuple[Binding, ...]) -> None:
    session.add(
        SealRow(
            id=structure.id,
            organ=plan.organ,
            sort=plan.sort,
            name=structure.name,
            holder=plan.holder or None,
            keeper=plan.keeper,
            state=State.ACTIVE,
            der=structure.der,
            sha256=_digest(structure),
            valid_from=structure.valid_from,
            valid_until=structure.valid_until,
            created=structure.created,
            replaces=plan.replaces or None,
            changed=structure.created,
            reason=None,
        )
    )
    session.flush()
    for each in bindings:
        session.execute(
            sa.insert(BindingRow).values(
                seal=structure.id,
                fingerprint=each.certificate.fingerprint,
                suite=each.suite,
                key=each.key,
                certificate=each.certificate.der,
            )
        )


# --- the kind --------------------------------------------------------------------------------------------------


def _about(_seals: "Seals", plan: SealPlan) -> About:
    return About(plan.organ)


def _concerned(_seals: "Seals", plan: SealPlan) -> Concerned:
    """Whoever would hold the name seal has no part in deciding it."""
    return Concerned(people=frozenset({plan.holder})) if plan.holder else Concerned()


def _describe(seals: "Seals", plan: SealPlan) -> tuple[Text, ...]:
    sort = SORTS[plan.sort]
    try:
        seen = looks(seals, plan)
    except YinxinError as error:
        return (Text(error.text("zh"), error.text("en")),)
    size = f"{seen.picture.width} × {seen.picture.height} mm"
    organ = seals.directory.organ(plan.organ).name
    said = [
        Text(
            f"为 {organ.zh} 制作{sort.zh}“{seen.name}”，{size}",
            f"make {sort.en} seal “{seen.name}” for {organ.en}, {size}",
        ),
        Text(f"由岗位 {plan.keeper} 保管和使用", f"kept and put on by the post {plan.keeper}"),
        Text("印模由申请方上传", "its picture was uploaded by the applicant")
        if plan.picture
        else Text(
            "印模沿用原印章或由平台按规定样式绘制",
            "its picture is the old seal's, or drawn here in the national form",
        ),
        Text(
            f"印模摘要（SHA-256）：{INTL.hash.digest(seen.picture.data).hex()}",
            f"digest of the picture (SHA-256): {INTL.hash.digest(seen.picture.data).hex()}",
        ),
    ]
    if plan.replaces:
        said.append(
            Text(
                f"原印章 {plan.replaces} 同时停止使用",
                f"the seal {plan.replaces} leaves use at the same time",
            )
        )
    return tuple(said)


def _carry_out(seals: "Seals", approved: Approved[SealPlan]) -> Outcome:
    made = make(seals, approved.actor, approved.content, approved.proposal)
    return {"seal": made.id, "sha256": made.sha256}


KIND: ProposalKind["Seals", Any] = ProposalKind(
    name=VERB,
    title=Text("制作印章", "make a seal"),
    content=SealPlan,
    proposers=frozenset({"clerk", "registrar", "seal-keeper", "leader", "security-officer"}),
    approvers=frozenset({"leader", "security-officer"}),
    executors=frozenset({"security-officer"}),
    describe=_describe,
    check=hold,
    about=_about,
    concerned=_concerned,
    execute=_carry_out,
    repeatable=True,
    key=True,
)
