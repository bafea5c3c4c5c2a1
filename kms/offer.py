"""What the key centre's process does for its callers, who are admitted and may yet be in other hands.

They use keys. They have one made that the register is waiting for, and one destroyed that the register has retired;
the register is read here, in the centre's own process. What the tokens of a mirror ask of each other is not for them.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kms.engine.engine import KeyReference
from kms.errors import KeyNotForCall, NotOffered
from kms.escrow.models import UserKeyRow
from kms.models import KeyRow, Place, State
from yinxin import canonical
from yinxin.act import Actor
from yinxin.errors import YinxinError
from yinxin.store import Store

#: the record of a call that was refused
VERB = "kms.call-engine"
#: operations that change nothing in the module
_USES = frozenset(
    {
        "facts",
        "tokens",
        "inventory",
        "sign",
        "encrypt",
        "decrypt",
        "rewrap",
        "sign_protected",
        "open_envelope",
    }
)
#: operations upon one key of the module, and the state that the register must have it in
_UPON = {"make_key": State.MAKING, "destroy": State.RETIRED}


class Offer:
    """Whether a caller may ask for an operation. Refusals are recorded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, caller: Actor, operation: str, arguments: Sequence[Any]) -> None:
        """Raise NotOffered or KeyNotForCall unless the caller may."""
        if operation in _USES:
            return
        try:
            if operation in _UPON:
                self._upon(operation, arguments[0])
            elif operation == "make_protected":
                _, algorithm, _, bound = arguments
                self._beside(operation, algorithm, bound)
            else:
                raise NotOffered(operation=operation)
        except YinxinError as error:
            self._store.refuse(caller, VERB, f"engine:{operation}", error)
            raise

    def _upon(self, operation: str, key: KeyReference) -> None:
        """A key of the module, by its identifier and nothing else that the caller says."""
        self._registered(operation, key.identifier, key.algorithm, key.label, Place.HSM)

    def _beside(self, operation: str, algorithm: str, bound: bytes) -> None:
        """A key beside the module, by what its ciphertext will be bound to: one being made, or one for the escrow, which has none of that name."""
        about = canonical.decode(bound)
        told = about if isinstance(about, dict) else {}
        identifier = str(told.get("id", ""))
        if told.get("type") == "kms.wrapped-key":
            self._registered(operation, identifier.encode(), algorithm, identifier, Place.WRAPPED)
            return
        if told.get("type") != "kms.user-key" or told.get("algorithm") != algorithm:
            raise NotOffered(operation=operation)
        with self._store.read() as session:
            if session.get(UserKeyRow, identifier) is not None:
                raise KeyNotForCall(
                    label=identifier, state=State.ACTIVE.value, wanted=State.MAKING.value, operation=operation
                )

    def _registered(
        self, operation: str, identifier: bytes, algorithm: str, label: str, place: Place
    ) -> None:
        wanted = _UPON.get(operation, State.MAKING)
        chosen = sa.select(KeyRow.label, KeyRow.state, KeyRow.algorithm, KeyRow.place).where(
            KeyRow.id == identifier.decode("ascii", "replace")
        )
        with self._store.read() as session:
            row = session.execute(chosen).one_or_none()
        if row is None or (row.state, row.algorithm, row.place) != (wanted.value, algorithm, place.value):
            raise KeyNotForCall(
                label=row.label if row else label[:64],
                state=row.state if row else "-",
                wanted=wanted.value,
                operation=operation,
            )
