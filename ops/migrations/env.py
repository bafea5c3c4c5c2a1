"""Alembic's environment: migrations run on the connection that `ops.schema` hands in."""

from typing import Any, Literal

from alembic import context

from ops.schema import import_tables
from yinxin.store import Base, Instant


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our instants as what they are in the database: a migration outlives the class."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


import_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
