"""One database, SQLite or PostgreSQL, and how it is read, written and brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from lumiscope.errors import StoreError, UsageError

DRIVERS = ("sqlite", "postgresql+psycopg")
PATIENCE_SECONDS = 60.0
BEGIN = "lumiscope_begin"  # execution option: how a transaction of SQLite begins
BUSY = ("database is locked", "database table is locked", "canceling statement due to lock timeout")


class DatabaseBusyError(StoreError):
    """Somebody else kept the database locked for too long; nothing was changed, and it may be tried again."""


class Database:
    """Sessions on the database at `url`: `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/NAME`.

    `patience_seconds`: how long to wait for another's lock. Of SQLite there is one writer at a time, and readers never
    wait (WAL); a writer takes its lock as it begins, so that none finds out later that what it read has changed.
    Errors: `UsageError` for a URL that is none, or of another database.
    """

    def __init__(self, url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise UsageError(_expected("what came is no URL")) from None
        if self.url.drivername not in DRIVERS:
            raise UsageError(_expected(f"what came begins with {self.url.drivername}:"))
        self.patience_seconds = patience_seconds
        self._engine = self._sqlite() if self.is_sqlite else self._postgresql()
        self._writing = self._engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.url.drivername == "sqlite"

    @property
    def safe_url(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout (PostgreSQL: of each statement). Nothing is kept."""
        with self._told(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that is committed as a whole at the end, or not at all where an error leaves it.

        Errors: `DatabaseBusyError` where it stayed locked; `StoreError` where it cannot be reached or written.
        """
        with self._told(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            if self.is_sqlite:
                session.connection()  # the lock, now
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in a writing transaction, for migrations."""
        with self._told(), self._writing.begin() as connection:
            yield connection

    def create(self) -> None:
        """Make all tables in a new database; bring an old one up to date."""
        self.upgrade()

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables to a later revision. Errors: `StoreError` where a newer lumiscope made them."""
        from lumiscope.server.database._migrate import migrate

        migrate(self, revision, up=True)

    def downgrade(self, revision: str = "base") -> None:
        """Bring the tables back to an earlier revision; "base" takes all of them away."""
        from lumiscope.server.database._migrate import migrate

        migrate(self, revision, up=False)

    def close(self) -> None:
        """Close what is open to it. It may be used again."""
        self._engine.dispose()

    def _sqlite(self) -> Engine:
        if not self.url.database or self.url.database == ":memory:":
            raise UsageError(_expected("what came names no file"))
        path = Path(self.url.database)
        if not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent} to make the database in")
        engine = create_engine(self.url, connect_args={"timeout": self.patience_seconds, "isolation_level": None})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        path.touch(mode=0o600)
        return engine

    def _postgresql(self) -> Engine:
        wait = int(self.patience_seconds * 1000)
        options = f"-c lock_timeout={wait} -c timezone=UTC"
        return create_engine(self.url, pool_pre_ping=True, connect_args={"connect_timeout": 10, "options": options})

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            cause = str(error.orig).strip()
            if any(text in cause for text in BUSY):
                waited = f"it was locked by another process for {self.patience_seconds:g} s"
                raise DatabaseBusyError(f"{self.safe_url}: {waited}; try again") from error
            if not isinstance(error.orig, _unreachable()):
                raise
            raise StoreError(f"{self.safe_url}: the database cannot be used: {cause}") from error


def _unreachable() -> type[Exception] | tuple[type[Exception], ...]:
    """Errors of what is outside: a full disk, a server that is gone, no permission."""
    import sqlite3

    import psycopg

    return sqlite3.OperationalError, psycopg.OperationalError


def _expected(came: str) -> str:
    return f"a database is given as sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME; {came}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))
