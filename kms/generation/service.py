"""The generations of the wrapping key as one service: begun, rewrapped from, retired, destroyed, told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa

from kms.engine import Engine
from kms.find import find_key
from kms.generation import rewrap as rewrapping
from kms.generation.errors import GenerationInUse, GenerationUnknown, RotatedMeanwhile
from kms.generation.held import KEYS, Held
from kms.generation.retire import REST, destroy, retire
from kms.generation.rewrap import VERB as REWRAP
from kms.generation.rewrap import Gone, Move
from kms.generation.rotate import VERB as ROTATE
from kms.generation.rotate import Keys, begin, label_of
from kms.info import KeyInfo
from kms.models import GenerationRow
from yinxin.act import SYSTEM, Actor
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.clock import rfc3339
from yinxin.store import Store, alone
from yinxin.text import Text

#: how long the timer rewraps at a time, so that other work of the server does not wait for it
STRETCH = timedelta(seconds=5)
#: how often what does not open is tried again
_AGAIN = timedelta(days=1)
_CURRENT = "SELECT label FROM kms_generation WHERE replaced IS NULL"


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as it stands; `left` are the ciphertexts under it, by table, of one that is not retired."""

    number: int
    label: str
    state: str
    begun: datetime
    begun_by: str
    replaced: datetime | None
    retired: datetime | None
    destroyed: datetime | None
    moved: int
    unopened: int
    left: dict[str, int]

    @classmethod
    def of(cls, row: GenerationRow, left: dict[str, int]) -> Self:
        """The generation in this row."""
        return cls(
            number=row.number,
            label=row.label,
            state=_state(row),
            begun=row.begun,
            begun_by=row.begun_by,
            replaced=row.replaced,
            retired=row.retired,
            destroyed=row.destroyed,
            moved=row.moved,
            unopened=row.unopened,
            left=left,
        )

    def fields(self) -> dict[str, Any]:
        """The generation as JSON."""
        instants = {"begun": self.begun, "replaced": self.replaced, "retired": self.retired}
        return {
            "number": self.number,
            "label": self.label,
            "state": self.state,
            "begun_by": self.begun_by,
            **{
                name: rfc3339(at) if at else None
                for name, at in (instants | {"destroyed": self.destroyed}).items()
            },
            "moved": self.moved,
            "left": sum(self.left.values()),
            "tables": self.left,
            "unopened": self.unopened,
        }


class Generations:
    """The generations of one key centre."""

    def __init__(self, store: Store, engine: Engine, decider: Decider, keys: Keys, *, first: str) -> None:
        """`first` is the label of the first generation's key."""
        self._store = store
        self._engine = engine
        self._decider = decider
        self._keys = keys
        self._first = first
        #: every table with ciphertexts; the platform hands in those of all modules
        self.held: Callable[[], Sequence[Held]] = lambda: (KEYS,)

    # --- wrapping -----------------------------------------------------------------------------------------------

    def current(self, actor: Actor) -> KeyInfo:
        """The key that new ciphertexts lie under; the first is begun when it is first needed. Raises as `Token.use`."""
        label = self._store.glance(_CURRENT)
        if label is None:
            try:
                return begin(self._store, self._keys, actor, number=1, label=self._first)
            except RotatedMeanwhile:  # another process was first
                label = self._store.glance(_CURRENT)
        return self._keys.key(str(label))

    def rotate(self, actor: Actor) -> Generation:
        """Begin the next generation, if the policies permit it; raises Denied, RotatedMeanwhile, or as `Token.use`."""
        decision = self._decider.require(actor, ROTATE, Resource("KeyRegister", "keys", organ=PLATFORM))
        self.current(actor)
        rows = self._rows()
        number = rows[-1].number + 1
        label = label_of(self._first, number, {row.label for row in rows})
        begin(self._store, self._keys, actor, number=number, label=label, decision=decision.record())
        return self.get(number)

    # --- rewrapping ---------------------------------------------------------------------------------------------

    def rewrap(self, stretch: timedelta = STRETCH) -> int:
        """Move what lies under earlier generations to the current one for at most `stretch`; how many moved. For the timer.

        One process at a time. A generation under which nothing is left is retired. Raises as `Token.use`.
        """
        if not self._waiting():
            return 0
        with alone(self._store.engine, REWRAP) as only:
            until, moved = self._store.clock.now() + stretch, 0
            for row in self._waiting() if only else ():
                old, new = self._keys.key(row.label), self.current(SYSTEM)
                move = Move(self._store, self._engine, old, new)
                gone = rewrapping.rewrap(move, self.held(), until)
                moved += gone.moved
                if not gone.through:
                    break
                self._ended(row, gone)
        return moved

    def _waiting(self) -> list[GenerationRow]:
        """Generations from which something has to move, or that may retire; what did not open waits for a day."""
        now = self._store.clock.now()
        rows = [row for row in self._rows() if row.replaced is not None and row.retired is None]
        return [
            row
            for row in rows
            if row.gone_through is None
            or now - row.gone_through >= _AGAIN
            or sum(self._left(row.label).values()) != row.unopened
            or (row.unopened == 0 and row.replaced is not None and now - row.replaced >= REST)
        ]

    def _ended(self, row: GenerationRow, gone: Gone) -> None:
        """A pass has come to its end: retire what holds nothing, or write down what did not open."""
        now = self._store.clock.now()
        empty = not sum(self._left(row.label).values())
        if empty and row.replaced is not None and now - row.replaced >= REST:
            retire(self._store, row.number, row.label)
            return
        if row.gone_through is None or row.unopened != gone.unopened or gone.unopened:
            with self._store.act(SYSTEM, REWRAP, f"generation:{row.label}", unopened=gone.unopened) as act:
                act.facts |= {"which": gone.which[:100]} if gone.which else {}
                kept = act.session.get_one(GenerationRow, row.number, with_for_update=True)
                kept.unopened, kept.gone_through = gone.unopened, now

    # --- the end ------------------------------------------------------------------------------------------------

    def destroyable(self, number: int) -> Generation:
        """A generation whose key may be destroyed, or was; raises GenerationUnknown, GenerationInUse."""
        found = self.get(number)
        if found.retired is None:
            raise GenerationInUse(number=number, left=sum(found.left.values()))
        return found

    def destroy(self, actor: Actor, number: int) -> Generation:
        """Carry out what several people approved; may be repeated. Raises as `destroyable`, or as `Token.use`."""
        found = self.destroyable(number)
        key = find_key(self._store, found.label)
        if key is not None and found.destroyed is None:
            destroy(self._store, self._engine, actor, number, key)
        return self.get(number)

    # --- telling ------------------------------------------------------------------------------------------------

    def get(self, number: int) -> Generation:
        """One generation; raises GenerationUnknown."""
        with self._store.read() as session:
            row = session.get(GenerationRow, number)
        if row is None:
            raise GenerationUnknown(number=number)
        return Generation.of(row, self._left(row.label) if row.retired is None else {})

    def list_for(self, actor: Actor) -> list[Generation]:
        """All of them, the first first, for somebody the policies permit to; raises Denied."""
        self._decider.require(actor, "kms.list", Resource("KeyRegister", "keys", organ=PLATFORM))
        return [self.get(row.number) for row in self._rows()]

    def facts(self) -> dict[str, Any]:
        """For the state of the key centre: the current one, what is being moved, what does not open."""
        rows = self._rows()
        moving = [row for row in rows if row.replaced is not None and row.retired is None]
        return {
            "generation": next((row.label for row in rows if row.replaced is None), ""),
            "rewrapping": [
                f"{row.label}: {row.moved} + {sum(self._left(row.label).values())}" for row in moving
            ],
            "unopened": [f"{row.label}: {row.unopened}" for row in moving if row.unopened],
        }

    def moving(self) -> tuple[int, int]:
        """How many generations are being moved, and how many of their ciphertexts do not open."""
        rows = [row for row in self._rows() if row.replaced is not None and row.retired is None]
        return len(rows), sum(row.unopened for row in rows)

    def trouble(self) -> Text | None:
        """What keeps an earlier generation from retiring, for somebody to look into; None when nothing does."""
        stuck = [row for row in self._rows() if row.unopened and row.retired is None]
        if not stuck:
            return None
        told = ", ".join(f"{row.label}: {row.unopened}" for row in stuck)
        return Text(
            f"有密文无法打开，未能重新加密（{told}）：请从备份恢复这些行并追查，详见审计日志 kms.rewrap",
            f"some ciphertexts do not open and were not rewrapped ({told}): restore those rows and inquire; the log tells which under kms.rewrap",
        )

    def _left(self, label: str) -> dict[str, int]:
        return rewrapping.left(self._store, self.held(), label)

    def _rows(self) -> list[GenerationRow]:
        with self._store.read() as session:
            rows = session.scalars(sa.select(GenerationRow).order_by(GenerationRow.number)).all()
            session.expunge_all()
        return list(rows)


def _state(row: GenerationRow) -> str:
    if row.destroyed is not None:
        return "destroyed"
    if row.retired is not None:
        return "retired"
    return "current" if row.replaced is None else "rewrapping"
