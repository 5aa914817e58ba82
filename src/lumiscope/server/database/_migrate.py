"""Migrations by Alembic, without a file of settings: they travel in the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from lumiscope.errors import StoreError

if TYPE_CHECKING:
    from lumiscope.server.database.database import Database

ONE_AT_A_TIME = 5_865_203_441  # an advisory lock of PostgreSQL: two servers that start at once migrate in turn


def migrate(database: Database, revision: str, *, up: bool) -> None:
    """Bring `database` up or down to `revision`, all of it or nothing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    with database.connection() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
        config.attributes["connection"] = connection
        try:
            (command.upgrade if up else command.downgrade)(config, revision)
        except CommandError as error:
            message = f"{database.safe_url}: its tables cannot be brought to revision {revision} ({error}); "
            raise StoreError(message + "a newer lumiscope made them: use that one, or a backup") from error
