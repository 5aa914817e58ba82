"""Landlock: this process sees the paths it is told, and no others (Linux' Documentation/userspace-api/landlock.rst)."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from lumiscope.server.isolation._kernel import machine, syscall

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_PATH_BENEATH = 1
_WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = (1 << bit for bit in (1, 2, 3, 14))
_REMOVE_FOLDER, _REMOVE_FILE, _MAKE_FOLDER, _MAKE_FILE = (1 << bit for bit in (4, 5, 7, 8))
_MAKE_AND_REMOVE = _REMOVE_FOLDER | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _READ_FILE | _READ_FOLDER
# How many rights over files each version of Landlock knows, from its first on.
_RIGHTS = (13, 14, 15, 15, 16)
_TCP_SINCE, _TCP = 4, 0b11  # bind, connect
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract unix sockets, signals: none to outside


def landlock_version() -> int:
    """The version of Landlock of this kernel; 0 where there is none."""
    if not machine():
        return 0
    try:
        return syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        return 0


def restrict_paths(readable: Iterable[Path], devices: Iterable[Path], scratch: Path | None) -> None:
    """Hold this thread, and all that it starts, to these paths for good. Errors: `OSError`.

    `readable`: read, with all beneath; one that does not exist is passed over. `devices`: read and written. `scratch`:
    a folder for plain files and folders. Nothing may be run, and no link, device or socket made.
    """
    version = landlock_version()
    known = (1 << _RIGHTS[min(version, len(_RIGHTS)) - 1]) - 1
    net = _TCP if version >= _TCP_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    fields = [known, *([net] if net else []), *([scopes] if scopes else [])]
    order = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = syscall(_CREATE, order, ctypes.c_size_t(len(order)), ctypes.c_uint32(0))
    try:
        for path in readable:
            _allow(ruleset, path, known & _READ)
        for path in devices:
            _allow(ruleset, path, known & (_READ_FILE | _WRITE_FILE))
        if scratch is not None:
            _allow(ruleset, scratch, known & (_OF_FILES | _READ | _MAKE_AND_REMOVE))
        syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, place)
        syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(place)
