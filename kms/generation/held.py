"""What tables hold ciphertexts, and to what each ciphertext is bound: the one list that rewrapping goes by.

A module that keeps a `Wrapped` names a `Held` of its table in its `MODULE.wrapped`; the column `kek` refers to
`kms.models.OPEN_GENERATION`. A table that is forgotten fails a test, and its generation could never retire.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from kms.info import KeyInfo
from kms.models import KeyRow
from kms.wrap import bound_to
from yinxin import canonical
from yinxin.store import Base

#: the additional authenticated data of a row's ciphertext under the wrapping key of this label
Bound = Callable[[Any, str], bytes]


@dataclass(frozen=True, slots=True)
class Held:
    """A table of ciphertexts: columns `kek`, `nonce` and `blob`, and a primary key of one column."""

    model: type[Base]
    bound: Bound

    @property
    def table(self) -> sa.Table:
        """The table."""
        return cast("sa.Table", self.model.__table__)

    @property
    def key(self) -> sa.Column[Any]:
        """Its primary key."""
        (column,) = self.table.primary_key.columns
        return column


def in_context(context: Callable[[Any], Mapping[str, Any]]) -> Bound:
    """The data of what `KeyCentre.protect` made in this context."""
    return lambda row, _kek: canonical.encode(dict(context(row)))


#: the register's own wrapped keys
KEYS = Held(KeyRow, lambda row, kek: bound_to(KeyInfo.of(row), kek))
