"""What becomes of a destroyed object's key: several people bring it back in time, or it is overwritten for good (law 3)."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from kms.kmip.attributes import NAME, given_to, taken, title_of
from kms.kmip.client import client_of
from kms.kmip.errors import KmipNothingToRecover
from kms.kmip.kept import object_of
from kms.kmip.models import KmipObjectRow
from kms.kmip.ttlv import decode
from kms.roles import DECIDERS, OFFICERS
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339
from yinxin.proposal import About, Approved, ProposalKind
from yinxin.proposal import Outcome as Left
from yinxin.store import Store
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

RECOVER = "kms.recover-kmip-object"
WIPE = "kms.wipe-kmip-object"
#: objects that one run of the timer overwrites
_AT_ONCE = 100


class RecoverContent(Model):
    """What is proposed: to bring back the object of this identifier."""

    object: str = Field(min_length=26, max_length=26)
    """The object's Unique Identifier."""


def wipe_due(store: Store) -> int:
    """Overwrite the ciphertext of what was destroyed long enough ago; the number of objects. For the timer."""
    row = KmipObjectRow
    due = sa.select(row.id).where(row.wipe_at <= store.clock.now()).order_by(row.wipe_at).limit(_AT_ONCE)
    with store.read() as session:
        found = session.scalars(due).all()
    return sum(_wipe(store, each) for each in found)


def _wipe(store: Store, id_: str) -> bool:
    with store.act(SYSTEM, WIPE, f"kmip-object:{id_}") as act:
        row = act.session.get_one(KmipObjectRow, id_, with_for_update=True)
        if row.wipe_at is None or row.wipe_at > store.clock.now():  # it was brought back meanwhile
            raise KmipNothingToRecover(object=id_)
        row.wipe_at, row.kek, row.nonce, row.blob = None, None, None, bytes(len(row.blob or b""))
    return True


# --- the kind ----------------------------------------------------------------------------------------------------


def _about(centre: "KeyCentre", content: RecoverContent) -> About:
    return About(client_of(centre.store, object_of(centre.store, content.object).client).organ)


def _check(centre: "KeyCentre", content: RecoverContent) -> None:
    if object_of(centre.store, content.object).recoverable is None:
        raise KmipNothingToRecover(object=content.object)


def _describe(centre: "KeyCentre", content: RecoverContent) -> tuple[Text, ...]:
    found = object_of(centre.store, content.object)
    client = client_of(centre.store, found.client)
    named = "、".join(found.names) or "-"
    when = rfc3339(found.destroyed) if found.destroyed else "-"
    return (
        Text(
            f"恢复 {client.organ} 的系统 {client.id} 于 {when} 经 KMIP 销毁的对象 {found.id}（名称 {named}）",
            f"bring back the object {found.id} (named {named}), which the system {client.id} of {client.organ} destroyed by KMIP at {when}",
        ),
        Text(
            "执行后该系统可再次取得该密钥，对象回到销毁前的状态",
            "after that the system can get the key again, and the object is in the state it had before",
        ),
    )


def _recover(centre: "KeyCentre", approved: Approved[RecoverContent], session: Session) -> Left:
    """Back to the state before; a name that another object has by now is left to that one."""
    row = session.get_one(KmipObjectRow, approved.content.object, with_for_update=True)
    if row.wipe_at is None:
        raise KmipNothingToRecover(object=row.id)
    row.destroyed, row.wipe_at = None, None
    row.changed = centre.store.clock.now().replace(microsecond=0)
    for each in given_to(session, row.id):
        title = title_of(decode(each.value)) if each.name == NAME else None
        if title is not None and not taken(session, row.client, title):
            each.title = title
    session.flush()
    return {"object": row.id, "client": row.client}


KIND: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=RECOVER,
    title=Text("恢复经 KMIP 销毁的密钥", "bring back a key destroyed by KMIP"),
    content=RecoverContent,
    proposers=OFFICERS,
    approvers=DECIDERS,
    executors=DECIDERS,
    about=_about,
    check=_check,
    describe=_describe,
    within=_recover,
    key=True,
)
