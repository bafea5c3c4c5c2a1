"""Beginning a generation: its key is in the module before anything is wrapped under it."""

import re
from collections.abc import Collection, Mapping
from functools import partial
from itertools import count
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.generation.errors import RotatedMeanwhile
from kms.info import KeyInfo
from kms.models import GenerationRow, Purpose
from yinxin.act import Actor
from yinxin.steps import step
from yinxin.store import Store

VERB = "kms.rotate"
_NUMBERED = re.compile(r"(.*[.-])[0-9]+")


class Keys(Protocol):
    """The register, as the generations need it."""

    def create(self, actor: Actor, *, label: str, purpose: Purpose, algorithm: str) -> KeyInfo:
        """The key of this label, made once however often this is called."""
        ...

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        ...


def label_of(first: str, number: int, taken: Collection[str] = ()) -> str:
    """The label of a generation's key, after the first one's: kek-1, kek-2, kek-3; the next one that is not taken."""
    numbered = _NUMBERED.fullmatch(first)
    begins = numbered[1] if numbered else f"{first}-"
    return next(label for each in count(number) if (label := f"{begins}{each}") not in taken)


def begin(
    store: Store,
    keys: Keys,
    actor: Actor,
    *,
    number: int,
    label: str,
    decision: Mapping[str, Any] | None = None,
) -> KeyInfo:
    """The key of generation `number`, under which everything is wrapped from here on.

    1. Its key is made in the module, with an intent of its own; a run that was cut off is gone on with.
    2. The generation before it ends, this one begins, on the record, at once.

    Raises RotatedMeanwhile, or as `KeyCentre.create`.
    """
    made = keys.create(actor, label=label, purpose=Purpose.KEK, algorithm="aes-256")
    step("kms.rotate.1-made")
    moved = partial(RotatedMeanwhile, number=number)
    with store.act(actor, VERB, f"generation:{label}", taken=moved, number=number) as act:
        act.decision = dict(decision) if decision else None
        now = store.clock.now()
        last = newest(act.session)
        if (last.number if last else 0) != number - 1:
            raise RotatedMeanwhile(number=number)
        if last is not None:
            last.replaced = now
        act.session.add(
            GenerationRow(number=number, label=label, open_label=label, begun=now, begun_by=actor.id)
        )
    return made


def newest(session: Session) -> GenerationRow | None:
    """The generation that is wrapped under now, alone; None before the first."""
    current = sa.select(GenerationRow).where(GenerationRow.replaced.is_(None))
    return session.scalars(current.with_for_update()).one_or_none()
