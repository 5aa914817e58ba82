"""A seccomp filter for the scoring child: threads, memory and open files; no process, no socket, no signal to others.

The filter is a program of the classic Berkeley packet filter over (number, architecture, arguments) of each system
call (Linux' Documentation/userspace-api/seccomp_filter.rst). It refuses by name what is dangerous, and by number what
is newer than the list (see `_syscalls`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from lumiscope.server.isolation import _syscalls
from lumiscope.server.isolation._kernel import PR_SET_PDEATHSIG, machine, prctl

_PR_SET_SECCOMP, _FILTER = 22, 2
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _AND, _EQUAL, _GREATER, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # where they lie in what the filter is given
_CLONE_THREAD = 0x00010000
_READ_WRITE_TRUNCATE = os.O_ACCMODE | os.O_TRUNC
_SIGNAL_OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a pipe that sends signals to another process
_X32 = 0x40000000  # the other way in on x86_64, with numbers of its own


def seccomp_lacking() -> str:
    """Why the filter cannot be had here, "" where it can."""
    if machine() not in _syscalls.MACHINES:
        return f"the filter of system calls knows {' and '.join(_syscalls.MACHINES)} under Linux alone"
    return ""


def install_filter() -> None:
    """Hold this thread, and all that it starts, to the filter for good. Errors: `OSError`."""
    program = filter_program(machine(), os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a 16-bit count of 8-byte instructions, then the pointer at the next 8 bytes.
    order = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    prctl(_PR_SET_SECCOMP, _FILTER, order)


def filter_program(machine: str, process: int) -> bytes:
    """The filter for a kind of processor (see `_syscalls.MACHINES`); `process`: the only id that may be signalled."""
    judged = _syscalls.numbers(_syscalls.JUDGED, machine)
    not_permitted, unknown = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
    lines = [_step(_LOAD, _ARCHITECTURE)]
    lines += [_step(_EQUAL, _syscalls.AUDIT_ARCHITECTURE[machine], 1, 0), _step(_RETURN, _KILL)]
    lines += [_step(_LOAD, _NUMBER), _step(_GREATER, _X32 - 1, 0, 1), _step(_RETURN, _KILL)]
    lines += [_step(_GREATER, _syscalls.LAST_KNOWN, 0, 1), _step(_RETURN, unknown)]
    for number in _syscalls.numbers(_syscalls.REFUSED, machine).values():
        lines += [_step(_EQUAL, number, 0, 1), _step(_RETURN, not_permitted)]
    # Their flags lie behind a pointer; the C library falls back to the older calls.
    for name in ("clone3", "openat2"):
        lines += [_step(_EQUAL, judged[name], 0, 1), _step(_RETURN, unknown)]
    lines += _refused_unless(judged["clone"], _argument(0), _CLONE_THREAD, _CLONE_THREAD)
    lines += _refused_unless(judged["tgkill"], _argument(0), 0xFFFFFFFF, process)
    lines += _refused_if(judged["prctl"], _argument(0), 0xFFFFFFFF, (PR_SET_PDEATHSIG,))
    lines += _refused_if(judged["fcntl"], _argument(1), 0xFFFFFFFF, _SIGNAL_OWNERS)
    # Emptied though opened for reading: Landlock does not see that before its third version.
    for name, flags in (("open", 1), ("openat", 2)):
        if name in judged:
            lines += _refused_if(judged[name], _argument(flags), _READ_WRITE_TRUNCATE, (os.O_TRUNC,))
    return b"".join([*lines, _step(_RETURN, _ALLOW)])


def _argument(index: int) -> int:
    """Where the low half of an argument lies, on a little-endian machine."""
    return 16 + 8 * index


def _refused_unless(number: int, place: int, mask: int, value: int) -> list[bytes]:
    verdict = [_step(_EQUAL, value, 1, 0), _step(_RETURN, _ERROR | errno.EPERM), _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, number, 0, 2 + len(verdict)), _step(_LOAD, place), _step(_AND, mask), *verdict]


def _refused_if(number: int, place: int, mask: int, values: tuple[int, ...]) -> list[bytes]:
    checks = [step for value in values for step in (_step(_EQUAL, value, 0, 1), _step(_RETURN, _ERROR | errno.EPERM))]
    verdict = [*checks, _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, number, 0, 2 + len(verdict)), _step(_LOAD, place), _step(_AND, mask), *verdict]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; `then` and `otherwise`: how many to skip."""
    return struct.pack("HBBI", code, then, otherwise, value)
