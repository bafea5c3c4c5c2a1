"""The end of a generation: retired when nothing lies under it, destroyed in the module when several people say so."""

from datetime import timedelta

import sqlalchemy as sa

from kms.engine import Engine
from kms.info import KeyInfo
from kms.models import GenerationRow, KeyRow, State
from yinxin.act import SYSTEM, Actor
from yinxin.steps import step
from yinxin.store import Store

RETIRE, DESTROY = "kms.retire-generation", "kms.destroy-generation"
#: an act that took the old key before the new one began has ended by then
REST = timedelta(minutes=10)


def retire(store: Store, number: int, label: str) -> None:
    """From here on nothing is wrapped or opened under it. The database refuses this while anything lies under it."""
    with store.act(SYSTEM, RETIRE, f"generation:{label}", number=number) as act:
        row = act.session.get_one(GenerationRow, number, with_for_update=True)
        row.open_label, row.retired, row.unopened = None, store.clock.now(), 0
        act.session.execute(sa.update(KeyRow).where(KeyRow.label == label).values(state=State.RETIRED.value))
    step("kms.retire-generation.1-recorded")


def destroy(store: Store, engine: Engine, actor: Actor, number: int, key: KeyInfo) -> None:
    """Destroy a retired generation's key; may be repeated. The approved proposal is the intent on record.

    1. In the module, every object of its identifier.
    2. On record.
    """
    engine.destroy(key.reference)
    step("kms.destroy-generation.1-destroyed")
    with store.act(actor, DESTROY, f"generation:{key.label}", number=number) as act:
        row = act.session.get_one(GenerationRow, number, with_for_update=True)
        row.destroyed = row.destroyed or store.clock.now()
    step("kms.destroy-generation.2-recorded")
