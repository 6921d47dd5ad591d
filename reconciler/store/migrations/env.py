"""Run migrations on the connection that `schema` hands over. Loaded by Alembic; opens no connection itself."""

from __future__ import annotations

from alembic import context

from reconciler.store.schema import VERSION_TABLE
from reconciler.store.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
