"""The tables whose rows the log accounts for: every act's record says what it made of them, and `audit check` holds them to it."""

from collections.abc import Mapping

import sqlalchemy as sa

from ops.schema import import_tables
from yinxin.store import Base, OutboxRow, RecordedRow, SourceRow

#: tables of the log that acts alone write, and nothing beside them
_BY_ACTS = ("audit.question.", "audit.report.")
#: the record itself
_RECORD = (OutboxRow, SourceRow, RecordedRow)


def accounted() -> Mapping[str, sa.Table]:
    """Every table, but those that change without a record, the record itself, and those of the log that it holds by its own means."""
    import_tables()
    own = {
        each.local_table
        for each in Base.registry.mappers
        if each.class_ in _RECORD
        or (each.class_.__module__.startswith("audit.") and not each.class_.__module__.startswith(_BY_ACTS))
    }
    return {
        name: table
        for name, table in Base.metadata.tables.items()
        if table not in own and not table.info.get("housekeeping") and table.primary_key.columns
    }
