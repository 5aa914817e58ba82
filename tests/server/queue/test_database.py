from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from lumiscope.errors import StoreError, UsageError
from lumiscope.server.database import Base, Database, DatabaseBusyError, User


def tables(database: Database) -> set[str]:
    with database.connection() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_make_the_very_tables_and_take_them_away_again(new_database: Database) -> None:
    with new_database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables(new_database) == set(Base.metadata.tables)
    new_database.downgrade()
    assert tables(new_database) == set()
    new_database.upgrade()
    new_database.create()
    assert tables(new_database) == set(Base.metadata.tables)


def test_a_database_of_a_newer_lumiscope_is_refused_in_words(new_database: Database) -> None:
    with new_database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="a newer lumiscope made them"):
        new_database.upgrade()


@pytest.mark.parametrize("url", ["mysql://a/b", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql://a/b"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///FILE or postgresql"):
        Database(url)


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(UsageError, match="there is no folder /nowhere"):
        Database("sqlite:////nowhere/a.db")


def test_a_password_is_in_no_message() -> None:
    database = Database("postgresql+psycopg://me:secret@127.0.0.1:1/x")
    with pytest.raises(StoreError) as error, database.reading() as session:
        session.execute(text("SELECT 1"))
    assert "secret" not in str(error.value)
    assert "me:***@127.0.0.1" in str(error.value)


def test_times_are_utc_and_texts_are_kept_by_both(database: Database) -> None:
    noon = datetime(2026, 11, 30, 12, tzinfo=timezone(timedelta(hours=5)))
    with database.writing() as session:
        session.add(User(name="nul\x00 half\ud800 ü", turn=0, created_at=noon))
    with database.reading() as session:
        user = session.scalars(select(User)).one()
    assert user.created_at == datetime(2026, 11, 30, 7, tzinfo=UTC)
    assert user.created_at.utcoffset() == timedelta(0)
    assert user.name == "nul\\x00 half\\ud800 ü"


def test_what_fails_half_way_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as session:
            session.add(User(name="a", turn=0, created_at=datetime.now(UTC)))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_sqlite_keeps_a_log_ahead_and_is_nobody_elses_to_read(tmp_path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600
    with database.reading() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_a_locked_database_is_waited_for_then_told_of(new_urls) -> None:
    url = next(new_urls["sqlite"])
    impatient, patient = Database(url, patience_seconds=0.05), Database(url, patience_seconds=20)
    locker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    locker.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(DatabaseBusyError, match=r"locked by another process for 0.05 s; try again"),
        impatient.writing(),
    ):
        pass
    with impatient.reading() as session:  # readers do not wait
        assert session.scalars(select(User)).all() == []
    threading.Timer(0.3, locker.execute, ["ROLLBACK"]).start()
    with patient.writing() as session:
        session.add(User(name="a", turn=0, created_at=datetime.now(UTC)))
