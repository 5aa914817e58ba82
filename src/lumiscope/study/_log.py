"""The log of a run: one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from logging.handlers import MemoryHandler
from pathlib import Path
from types import TracebackType
from typing import Self

from lumiscope.files import failure_in_words, refuse_odd_entry, writing

logger = logging.getLogger(__name__)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created)),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class _LogFile(logging.FileHandler):
    """A log whose file may fail: that is said once, and ends no run."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        logging.getLogger("lumiscope").removeHandler(self)
        logger.warning("the log ends here, it cannot be written: %s", failure_in_words(error, self.baseFilename))


class RunLog:
    """What lumiscope logs while a study runs: kept from its first line on, in memory until it has a file.

    Used with `with`; the level and handlers of others stay as they are.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger("lumiscope")
        self._level = self._logger.level
        self._waiting = MemoryHandler(capacity=sys.maxsize, flushLevel=sys.maxsize, flushOnClose=False)
        self._file: logging.FileHandler | None = None

    def __enter__(self) -> Self:
        self._logger.addHandler(self._waiting)
        self._logger.setLevel(logging.INFO)
        logger.info("started")
        return self

    def write_to(self, path: Path) -> None:
        """Append what was logged so far, and whatever comes, to the file. Errors: `StoreError`."""
        with writing(path):
            refuse_odd_entry(path)
            self._file = _LogFile(path, encoding="utf-8", errors="backslashreplace")
        self._file.setFormatter(_JsonLines())
        self._waiting.setTarget(self._file)
        self._waiting.flush()
        self._logger.removeHandler(self._waiting)
        self._logger.addHandler(self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if error is None:
            logger.info("finished")
        else:
            logger.info("ended early: %s", type(error).__name__, exc_info=error)
        for handler in (self._waiting, self._file):
            if handler is not None:
                self._logger.removeHandler(handler)
                with contextlib.suppress(OSError):  # a log that could not be written cannot be flushed, either
                    handler.close()
        self._logger.setLevel(self._level)
