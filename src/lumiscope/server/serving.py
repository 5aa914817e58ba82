"""A server as it runs: set up, listening, and its workers beside it."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lumiscope.errors import UsageError
from lumiscope.progress import Track, silent
from lumiscope.server._folder import ServerFolder
from lumiscope.server.isolation import Isolation, choose_isolation

if TYPE_CHECKING:
    from lumiscope.server._service import Service

ADMIN_NAME = "admin"
RESTART_SECONDS = 2.0  # before a worker that ended is started again
GRACE_SECONDS = 10
PARENT_SECONDS = 1.0


class Serving:
    """What commands do with the server in a folder. `database`: a URL; "" for SQLite in the folder."""

    def __init__(self, path: Path, database: str = "") -> None:
        self._folder = ServerFolder(path, database)

    def run(
        self,
        host: str,
        port: int,
        workers: int,
        say: Callable[[str], None],
        *,
        accept_weak: bool = False,
        track: Track = silent,
    ) -> None:
        """Listen until it is stopped. `say`: tells whoever started it. Errors: `UsageError` for weak isolation beyond
        this machine."""
        import uvicorn

        from lumiscope.server.web import make_app

        self._folder.make(track)
        isolation = choose_isolation()
        say(isolation.sentence())
        if isolation.strength == "weak" and not accept_weak and not _is_loopback(host):
            raise UsageError(
                f"{host} can be reached by others, and uploads would be held in by limits alone. Install bubblewrap, "
                "or take a kernel with Landlock; or say --accept-weak-isolation."
            )
        service = self._service(isolation)
        if not service.has_admin():
            say(f"The admin's token, shown this once: {service.make_token(ADMIN_NAME, admin=True)}")
        _log_lines()
        config = uvicorn.Config(
            make_app(service),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        stop = threading.Event()
        threads = [threading.Thread(target=self._keep_worker, args=(stop,)) for _ in range(workers)]
        for thread in threads:
            thread.start()
        say(f"{self._folder.path} is served at http://{host}:{port}; Ctrl-C ends it")
        try:
            _server(config, service).run()
        finally:
            service.stopping.set()
            stop.set()
            for thread in threads:
                thread.join()

    def work(self, *, with_parent: bool = False) -> None:
        """Score until it is stopped (SIGTERM, Ctrl-C); what is in hand is given back then."""
        from lumiscope.server._work import Scoring
        from lumiscope.server.database import Database
        from lumiscope.server.queue import Queue, Worker
        from lumiscope.server.scoring import SCORER_VERSION

        _log_lines()
        stop = threading.Event()
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, lambda *_: stop.set())
        if with_parent:
            threading.Thread(target=_stop_with_parent, args=(stop, os.getppid()), daemon=True).start()
        queue = Queue(Database(self._folder.database_url))
        scoring = Scoring(self._folder.challenges, choose_isolation())
        Worker(queue, scoring, scorer_version=SCORER_VERSION).run_forever(stop)

    def token(self, name: str, *, admin: bool = False, days: float | None = None) -> str:
        """A new token for somebody. Errors: `UsageError` where there is no server."""
        from lumiscope.server._service import scopes_of
        from lumiscope.server.database import Database, People

        self._folder.check()
        database = Database(self._folder.database_url)
        database.create()
        return People(database).issue(name, scopes_of(admin), days)

    def _service(self, isolation: Isolation) -> Service:
        from lumiscope.server._service import Service
        from lumiscope.server.database import Database

        database = Database(self._folder.database_url)
        database.create()
        service = Service(database, self._folder.challenges(), self._folder.secret, isolation.facts())
        service.prepare()
        return service

    def _keep_worker(self, stop: threading.Event) -> None:
        """One worker, started again where it ends, until `stop`."""
        options = ["--dir", str(self._folder.path), "--database", self._folder.database, "--with-parent"]
        while not stop.is_set():
            process = subprocess.Popen([sys.executable, "-m", "lumiscope", "worker", *options], start_new_session=True)
            while process.poll() is None and not stop.wait(0.2):
                pass
            if process.poll() is None:
                process.terminate()
                process.wait()
            stop.wait(RESTART_SECONDS)


def _server(config, service: Service):  # type: ignore[no-untyped-def]
    """Uvicorn, which tells the service first when it is told to stop, so that streams end and need no waiting for."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            for kind in (signal.SIGTERM, signal.SIGINT):  # how a server is told to end, and no error
                signal.signal(kind, self.handle_exit)
            yield

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            service.stopping.set()
            super().handle_exit(sig, frame)

    return Server(config)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _stop_with_parent(stop: threading.Event, parent: int) -> None:
    while os.getppid() == parent:
        if stop.wait(PARENT_SECONDS):
            return
    stop.set()


def _log_lines() -> None:
    """The server's own log, a line each, on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logger = logging.getLogger("lumiscope.server")
    logger.setLevel(logging.INFO)
    logger.handlers, logger.propagate = [handler], False
