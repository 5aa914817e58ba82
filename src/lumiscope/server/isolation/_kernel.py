"""The few calls to the Linux kernel that Python has no name for, by ctypes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522  # 64 capabilities in two halves
_CAPSET = {"x86_64": 126, "aarch64": 91}


def machine() -> str:
    """The kind of processor, as the kernel calls it; "" where this is not Linux."""
    return os.uname().machine if sys.platform == "linux" else ""


def syscall(number: int, *arguments: object) -> int:
    """Call the kernel. Errors: `OSError`."""
    return _checked(_libc().syscall(ctypes.c_long(number), *arguments))


def die_with_parent() -> None:
    """From now on the death of the thread that started this process kills this process."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def renounce_privileges() -> None:
    """No new privileges by running a program, and none of the capabilities that root has."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if machine() in _CAPSET:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        syscall(_CAPSET[machine()], header, (ctypes.c_uint32 * 6)())


def prctl(option: int, value: int, pointer: object = 0) -> None:
    """Change a property of this process. Errors: `OSError`."""
    second = ctypes.c_ulong(pointer) if isinstance(pointer, int) else pointer
    zero = ctypes.c_ulong(0)
    _checked(_libc().prctl(ctypes.c_int(option), ctypes.c_ulong(value), second, zero, zero))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
