"""What a scoring child may use, and how its own process is held to it."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass, fields
from typing import Any

from lumiscope.errors import UsageError

try:
    import resource
except ImportError:  # no Unix
    resource = None  # type: ignore[assignment]

MEBIBYTE = 2**20
OPEN_FILES = 256
_LEAST = {"memory_bytes": 64 * MEBIBYTE, "file_bytes": 0, "cpu_seconds": 0.1, "wall_seconds": 0.1}


@dataclass(frozen=True)
class ChildLimits:
    """What a child may use at most; beyond it, it is ended.

    `memory_bytes` is held twice. The kernel refuses what would make the private writable memory larger (RLIMIT_DATA):
    that is a `MemoryError` in the child. And the parent looks every tenth of a second at the resident memory, and
    kills. The address space (RLIMIT_AS) is not limited: importing torch alone maps 3 GiB, of which it touches half a
    gigabyte (526 MB resident, 719 MB private; torch 2 on x86_64), so a limit on it says nothing. Whatever imports
    torch needs 1 GiB, `TORCH_BYTES`.

    `file_bytes`: what it may write: nowhere if 0; otherwise any one file, and all files of its scratch folder.
    `processes`: how many processes and threads at once; under strong isolation it can start threads alone.
    `answer_bytes`: its progress and its result, as JSON. `log_bytes`: its standard output and error.
    """

    memory_bytes: int = 2048 * MEBIBYTE
    cpu_seconds: float = 600
    wall_seconds: float = 900
    file_bytes: int = 0
    processes: int = 64
    answer_bytes: int = 8 * MEBIBYTE
    log_bytes: int = MEBIBYTE

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = _LEAST.get(field.name, 1)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
                raise UsageError(f"{field.name} of a child: expected a finite number from {least} on; got {value!r}")

    def to_json(self) -> dict[str, Any]:
        """As the child is told."""
        return asdict(self)


TORCH_BYTES = 1024 * MEBIBYTE


def lay_limits(limits: ChildLimits, users_tasks: int | None) -> None:
    """Hold this process and all that it starts to `limits`, as far as the system has such limits.

    `users_tasks`: how many processes and threads its user may have (RLIMIT_NPROC, which root escapes); None for no such
    limit.
    """
    if resource is None:
        return
    cpu_seconds = math.ceil(limits.cpu_seconds)
    for name, value, hard in (
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_CPU", cpu_seconds, cpu_seconds + 1),
        ("RLIMIT_DATA", int(limits.memory_bytes), int(limits.memory_bytes)),
        ("RLIMIT_FSIZE", int(limits.file_bytes), int(limits.file_bytes)),
        ("RLIMIT_NOFILE", OPEN_FILES, OPEN_FILES),
        ("RLIMIT_MEMLOCK", 0, 0),
        ("RLIMIT_MSGQUEUE", 0, 0),
        ("RLIMIT_NPROC", users_tasks, users_tasks),
    ):
        if value is not None and hard is not None and hasattr(resource, name):
            _lower(getattr(resource, name), value, hard)
    os.nice(5)


def _lower(kind: int, soft: int, hard: int) -> None:
    """A limit that is already lower stays."""
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))
