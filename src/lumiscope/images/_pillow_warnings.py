"""Keep Pillow's warnings about odd files from the user: what matters in them is reported as a reason."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Without a handler of its own what Pillow logs of bad files would go to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_lock = threading.Lock()
_entered = 0
_filters = ExitStack()


@contextmanager
def pillow_warnings_silenced() -> Iterator[None]:
    """Ignore warnings that Pillow's own modules raise; the filters are as before when the last thread has left.

    `warnings.catch_warnings` alone is not safe here: filters belong to the whole process, so of two threads that
    overlap, the one that leaves last would bring back the filters of the other for good. Hence the count.
    """
    global _entered
    with _lock:
        if _entered == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        _entered += 1
    try:
        yield
    finally:
        with _lock:
            _entered -= 1
            if _entered == 0:
                _filters.close()
