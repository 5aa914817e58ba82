"""Where Python and its packages lie: what every child may read, and the environment that it gets."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

import lumiscope

CHILD = ("-P", "-s", "-m", "lumiscope.server.isolation.child")
DEVICES = tuple(Path("/dev") / name for name in ("null", "zero", "random", "urandom"))
_LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
_SYSTEM = ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm", "/sys/devices/system/cpu", "/sys/devices/system/node")
_KEPT = ("HOME", "TZ", "TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def library_paths() -> tuple[Path, ...]:
    """Libraries of the system, Python's own, installed packages, and lumiscope. No current folder, no `sys.path`:
    a server that is started in the folder of its challenges must not open it to the child."""
    python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    python += [folder for folder in sys.path if Path(folder).name in ("site-packages", "dist-packages")]
    python += [sysconfig.get_config_var("LIBDIR") or "", site.getusersitepackages()]
    return existing((*_LIBRARIES, *_SYSTEM, *filter(None, python), *lumiscope.__path__))


def machine_paths() -> tuple[Path, ...]:
    """What tells of the processor, the memory and the process itself."""
    return existing((*_MACHINE, f"/proc/{os.getpid()}"))


def program_paths() -> tuple[Path, ...]:
    """What is needed to start Python at all."""
    programs = {Path(sys.executable).parent, Path(sys.executable).resolve().parent}
    return existing((*programs, Path(sys.prefix) / "pyvenv.cfg"))


def existing(paths: Iterable[str | Path]) -> tuple[Path, ...]:
    """Those of `paths` that exist, absolute, each once."""
    return tuple(dict.fromkeys(Path(path).absolute() for path in paths if Path(path).exists()))


def environment(readable: Sequence[Path], scratch: str, threads: int) -> dict[str, str]:
    """The variables of a child: where modules and caches lie, and nothing of what else the server knows.

    Modules are found where the parent finds them, as far as the child may read there.
    """
    package_home = Path(lumiscope.__path__[0]).absolute().parent
    roots = [
        package_home,
        *(Path(folder).absolute() for folder in sys.path if folder and _lies_in(Path(folder), readable)),
    ]
    count = str(max(1, min(threads // 2, os.cpu_count() or 1)))
    variables = {
        "PATH": "",  # a program that is found and cannot be run takes some libraries by surprise
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, roots))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
        "MALLOC_ARENA_MAX": "2",
        "TORCHINDUCTOR_CACHE_DIR": scratch or "/",  # made when parts of torch are imported, unless it is there
        **{name: os.environ.get(name, count) for name in _THREADS},
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
    }
    if scratch:
        variables |= {"TMPDIR": scratch, "MPLCONFIGDIR": scratch}
    return variables


def _lies_in(folder: Path, readable: Sequence[Path]) -> bool:
    return any(folder.resolve().is_relative_to(path.resolve()) for path in readable)
