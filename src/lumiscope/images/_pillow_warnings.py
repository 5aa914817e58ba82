"""Keep the warnings of Pillow and tifffile about odd files from the user: what matters in them is a reason."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Without a handler of their own what they log of bad files would go to stderr.
for _name in ("PIL", "tifffile"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_lock = threading.Lock()
_entered = 0
_filters = ExitStack()


@contextmanager
def pillow_warnings_silenced() -> Iterator[None]:
    """Ignore warnings of Pillow and tifffile; the filters are as before when the last thread has left.

    `warnings.catch_warnings` alone is not safe here: filters belong to the whole process, so of two threads that
    overlap, the one that leaves last would bring back the filters of the other for good. Hence the count.
    """
    global _entered
    with _lock:
        if _entered == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"(PIL|tifffile)(\.|$)")
        _entered += 1
    try:
        yield
    finally:
        with _lock:
            _entered -= 1
            if _entered == 0:
                _filters.close()
