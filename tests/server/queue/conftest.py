"""Both databases: SQLite in a file, and a PostgreSQL that the tests start for themselves where there is one."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the extra `server` is not installed")

from sqlalchemy import create_engine, text

from lumiscope.server.database import Base, Database

DEBIAN = Path("/usr/lib/postgresql")
STARTING_SECONDS = 30
QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # both write to the disk at every commit


def _program(name: str) -> str | None:
    found = [str(path) for path in sorted(DEBIAN.glob(f"*/bin/{name}"))]
    return shutil.which(name) or (found[-1] if found else None)


def _unprivileged() -> str | None:
    """Who runs PostgreSQL, which refuses root: whoever runs the tests, else `postgres` or `nobody`."""
    if os.getuid():
        return pwd.getpwuid(os.getuid()).pw_name
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in users), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The start of a URL: a server in a folder of its own, behind a socket. Skips where there is none."""
    initdb, postgres, user = _program("initdb"), _program("postgres"), _unprivileged()
    if not initdb or not postgres:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    if user is None:
        pytest.skip("PostgreSQL refuses root, and there is nobody else to run it")
    entry = pwd.getpwnam(user)
    other = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=QUICK))
    if other:
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    arguments = ["-D", folder / "data", "-A", "trust", "-U", "lumiscope", "-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        subprocess.run([initdb, *arguments], check=True, capture_output=True, cwd="/", **other)
        command = [postgres, "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **other)
        try:
            _wait_for(folder, server)
            yield f"postgresql+psycopg://lumiscope@/{{}}?host={folder}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once, whoever is connected
            server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(folder: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTING_SECONDS * 20):
        if "ready to accept" in (folder / "log").read_text():
            return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL does not start: {(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def new_urls(request: pytest.FixtureRequest) -> Iterator[dict[str, Iterator[str]]]:
    """By the kind of database: URLs of new ones with all tables, without end."""
    folder = Path(tempfile.mkdtemp(prefix="sqlite", dir=QUICK))

    def sqlite() -> Iterator[str]:
        template = Database(f"sqlite:///{folder}/template.db")
        template.create()
        template.close()
        for number in itertools.count():
            shutil.copy(folder / "template.db", folder / f"{number}.db")
            yield f"sqlite:///{folder}/{number}.db"

    def postgresql() -> Iterator[str]:
        url = request.getfixturevalue("postgresql")
        template = Database(url.format("template1"))
        template.create()
        template.close()
        engine = create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
        for number in itertools.count():
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE test{number}"))
            engine.dispose()
            yield url.format(f"test{number}")

    yield {"sqlite": sqlite(), "postgresql": postgresql()}
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Either kind of database; a skip must leave the iterators alone."""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql")
    return str(request.param)


@pytest.fixture
def new_database(kind: str, new_urls: dict[str, Iterator[str]]) -> Iterator[Database]:
    """One of its own, with all tables."""
    opened = Database(next(new_urls[kind]))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared(new_urls: dict[str, Iterator[str]]) -> dict[str, Database]:
    """By kind: the one that tests use in turn, so that each statement is compiled once."""
    return {}


@pytest.fixture
def database(kind: str, new_urls: dict[str, Iterator[str]], shared: dict[str, Database]) -> Iterator[Database]:
    """With all tables, and nothing in them."""
    if kind not in shared:
        shared[kind] = Database(next(new_urls[kind]))
    with shared[kind].writing() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    yield shared[kind]
    shared[kind].close()


@pytest.fixture
def url(database: Database) -> str:
    """Of `database`."""
    return database.url.render_as_string(hide_password=False)
