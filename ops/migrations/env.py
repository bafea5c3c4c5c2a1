"""Alembic's environment: migrations run on the connection that `ops.schema` hands in."""

from alembic import context

from ops.schema import import_tables
from yinxin.store import Base

import_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
