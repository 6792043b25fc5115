"""How a database of any earlier version becomes one of this version.

Each file of `versions/` is one step, numbered from 0001; the database remembers the last one that
it took. A step is never changed once it was released. To change the tables, change `tables.py` and
add a step that does the same to a database; the tests prove that both ways lead to the same tables.
There is no way back: keep a copy of the database (`VACUUM INTO`, `pg_dump`) before an upgrade.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from server.storage.errors import UnsupportedDatabase

_LOCK = 0x74726178
"""Any number, so that two servers that start at once upgrade one after the other."""


def upgrade(connection: Connection, place: str, to: str = "head") -> None:
    """Take all steps that a database lacks, in the transaction that is open.

    Args:
        connection: Within a transaction that excludes other upgrades on SQLite.
        place: The database's file or address, for errors.
        to: The last step to take.

    Raises:
        UnsupportedDatabase: It took steps that this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    known = {step.revision for step in script.walk_revisions()}
    for taken in MigrationContext.configure(connection).get_current_heads():
        if taken not in known:
            newest = script.get_current_head()
            raise UnsupportedDatabase(place, f"a database of version {newest} or older", taken)
    command.upgrade(config, to)
