"""Destroying a service key: decided by several people, waited for, and then final (law 3)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from kms.find import find_key as find_module_key
from kms.keyring.apart import apart
from kms.keyring.errors import NotEnding
from kms.keyring.find import key_of
from kms.keyring.key import ServiceKey
from kms.keyring.models import Condition, ServiceKeyRow, ServiceKeyVersionRow
from kms.keyring.secret import Keys, label_of
from kms.models import KeyRow, Place, State
from kms.roles import DECIDERS, OFFICERS
from yinxin.act import SYSTEM, Actor, Outcome
from yinxin.authz import Decision
from yinxin.clock import rfc3339
from yinxin.proposal import About, Approved, ProposalKind
from yinxin.proposal import Outcome as Left
from yinxin.steps import step
from yinxin.store import Store
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

DESTROY = "kms.destroy-service-key"
KEEP = "kms.keep-service-key"
#: keys that one run of the timer ends
_AT_ONCE = 100


class DestroyContent(Model):
    """What is proposed: the end of the service key of this name."""

    name: str = Field(min_length=1, max_length=48)
    """The service key's name."""


def keep(store: Store, actor: Actor, key: ServiceKey, decision: Decision) -> ServiceKey:
    """Call the destruction off: the key is used again. Raises NotEnding, also once its time has come and it has begun."""
    with store.act(actor, KEEP, f"service-key:{key.name}") as act:
        act.decision = decision.record()
        row = act.session.get_one(ServiceKeyRow, key.id, with_for_update=True)
        if row.condition != Condition.ENDING.value:
            raise NotEnding(name=key.name)
        row.condition, row.destroy_at, row.proposal = Condition.ACTIVE.value, None, None
        act.session.flush()
        return ServiceKey.of(row)


def destroy_due(store: Store, keys: Keys) -> int:
    """Destroy what is due, and finish what a crash left; the number of keys. For the timer.

    1. Intent: from here on the key is `destroyed` and its keys in the register are retired: nobody uses it, nobody calls
       it off; the module destroys what is retired, and nothing else.
    2. What the module holds of it is destroyed there.
    3. Done: the ciphertext of every version is overwritten; names, versions and public keys stay.

    One that cannot be destroyed now keeps no other from it: what it raises is raised at the end, and the next run tries it again.
    """
    due = (
        sa.select(ServiceKeyRow)
        .where(ServiceKeyRow.destroy_at <= store.clock.now())
        .order_by(ServiceKeyRow.destroy_at)
        .limit(_AT_ONCE)
    )
    with store.read() as session:
        found = [(ServiceKey.of(row), row.proposal) for row in session.scalars(due)]
    return apart(
        found,
        lambda each: _destroy(store, keys, *each),
        lambda each: f"{each[0].name} is not destroyed yet",
    )


def _destroy(store: Store, keys: Keys, key: ServiceKey, proposal: str | None) -> None:
    subject = f"service-key:{key.name}"
    facts: dict[str, Any] = {"proposal": proposal, "versions": key.latest}
    if key.condition is Condition.ENDING:
        with store.act(SYSTEM, DESTROY, subject, outcome=Outcome.INTENT, **facts) as act:
            row = act.session.get_one(ServiceKeyRow, key.id, with_for_update=True)
            if row.condition != Condition.ENDING.value or row.proposal != proposal:
                raise NotEnding(name=key.name)
            row.condition = Condition.DESTROYED.value
            labels = [label_of(key, number) for number in range(1, key.latest + 2)]
            act.session.execute(
                sa.update(KeyRow).where(KeyRow.label.in_(labels)).values(state=State.RETIRED.value)
            )
    step("kms.destroy-service-key.1-intended")
    if key.place is Place.HSM:
        _from_module(store, keys, key)
    step("kms.destroy-service-key.2-module")
    with store.act(SYSTEM, DESTROY, subject, **facts) as act:
        row = act.session.get_one(ServiceKeyRow, key.id, with_for_update=True)
        row.destroy_at = None
        versions = sa.select(ServiceKeyVersionRow).where(ServiceKeyVersionRow.key == key.id)
        for version in act.session.scalars(versions):
            version.destroyed = store.clock.now()
            if version.blob is not None:
                version.kek, version.nonce, version.blob = None, None, bytes(len(version.blob))
    step("kms.destroy-service-key.3-done")


def _from_module(store: Store, keys: Keys, key: ServiceKey) -> None:
    """Every version, and one that a crash left behind unrecorded."""
    for number in range(1, key.latest + 2):
        info = find_module_key(store, label_of(key, number))
        if info is not None:
            keys.engine.destroy(info.reference)


# --- the kind --------------------------------------------------------------------------------------------------


def _about(centre: "KeyCentre", content: DestroyContent) -> About:
    return About(key_of(centre.store, content.name).owner)


def _check(centre: "KeyCentre", content: DestroyContent) -> None:
    key_of(centre.store, content.name).usable()


def _describe(centre: "KeyCentre", content: DestroyContent) -> tuple[Text, ...]:
    key, days = key_of(centre.store, content.name), centre.settings.keyring_destruction_days
    return (
        Text(
            f"销毁 {key.owner} 的服务密钥 {key.name}（{key.kind.name}，用途 {key.purpose}，共 {key.latest} 版）",
            f"destroy the service key {key.name} of {key.owner} ({key.kind.name}, for {key.purpose}, {key.latest} versions)",
        ),
        Text(
            f"执行后立即停用，{days} 天后销毁；此前安全管理员可以撤回",
            f"it is out of use at once and destroyed after {days} days; until then a security officer may call it off",
        ),
        Text("销毁后，用它加密的数据无法再解开", "what it encrypted is lost for ever after that"),
    )


def _schedule(centre: "KeyCentre", approved: Approved[DestroyContent], session: Session) -> Left:
    store = centre.store
    chosen = sa.select(ServiceKeyRow).where(ServiceKeyRow.name == approved.content.name).with_for_update()
    row = session.scalars(chosen).one()
    ServiceKey.of(row).usable()
    row.condition = Condition.ENDING.value
    row.destroy_at = store.clock.now() + timedelta(days=centre.settings.keyring_destruction_days)
    row.proposal = approved.proposal
    session.flush()
    return {"key": row.name, "destroy_at": rfc3339(row.destroy_at)}


KIND: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=DESTROY,
    title=Text("销毁服务密钥", "destroy a service key"),
    content=DestroyContent,
    proposers=OFFICERS,
    approvers=DECIDERS,
    executors=DECIDERS,
    about=_about,
    check=_check,
    describe=_describe,
    within=_schedule,
    key=True,
)
