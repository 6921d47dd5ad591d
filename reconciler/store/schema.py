"""Which form the tables have, and how they get the newest one. Called by `store` on a connection that it holds.

The migrations lie beside this file and run inside one transaction: a database has the old form or the new one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, column, inspect, select, table

from reconciler.errors import UsageError
from reconciler.store.complaints import lost
from reconciler.store.tables import TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.store.address import Address

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = ("0001", "0002")
VERSION_TABLE = "schema_version"
_VERSION: Select[Any] = select(column("version_num")).select_from(table(VERSION_TABLE))


def current(connection: Connection, address: Address) -> str:
    """Give the version of the tables, empty for a new database.

    Raises StoreLost for tables of a newer program, and UsageError for tables that are not ours.
    """
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        _refuse_strangers(tables, address)
        return ""
    version = connection.execute(_VERSION).scalar_one_or_none()
    if version is not None and version not in VERSIONS:
        raise lost(address, "was written by a newer version of this program: install that one, or a newer one")
    return version or ""


def migrate(connection: Connection, address: Address, target: str = "head") -> None:
    """Bring the tables to a version, inside the connection's transaction."""
    if current(connection, address) == VERSIONS[-1]:
        return
    # Loading Alembic takes longer than opening the store, and is needed once per version.
    from alembic import command
    from alembic.config import Config

    configuration = Config(attributes={"connection": connection})
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(configuration, target)


def need_newest(connection: Connection, address: Address) -> None:
    """Raise StoreLost where the tables still have to be migrated, which a reader does not do."""
    if current(connection, address) != VERSIONS[-1]:
        raise lost(address, "was written by an older version of this program: start the controller on it once")


def _refuse_strangers(tables: set[str], address: Address) -> None:
    if strangers := sorted(tables & set(TABLES.tables)):
        raise UsageError(
            f"{address} has a table {strangers[0]!r} of something else: give the fleet a database of its own"
        )
