"""From when on the log accounts for which tables: that is an act too."""

import sqlalchemy as sa

from yinxin.act import Actor
from yinxin.store._act import Store
from yinxin.store._prepared import ROWS
from yinxin.store._rows import RecordedRow


def take_stock(store: Store, actor: Actor, verb: str) -> int:
    """Record that the log accounts for the tables for which it does not yet, with the rows that they have; how many tables.

    Once for each table, empty or not: what comes in later has an act, or is named. Who takes the mark away is missed by this
    entry. Raises what `Store.act` raises.
    """
    with store.read() as session:
        marked = sa.select(RecordedRow.of).where(RecordedRow.of.in_(store.accounted), RecordedRow.key == "")
        new = sorted(store.accounted.keys() - set(session.scalars(marked)))
    if not new:
        return 0
    with store.act(actor, verb, "tables") as act:
        changed, count = act.connection.get_execution_options()[ROWS], 0
        for name in new:
            changed.begin(name)
            table = store.accounted[name]
            keys = [tuple(row) for row in act.connection.execute(sa.select(*table.primary_key.columns))]
            changed.add(table, keys)
            count += len(keys)
        act.facts |= {"tables": new, "rows": count}
    return len(new)
