"""The filter of system calls against a plain interpreter of its programs, for each kind of processor."""

from __future__ import annotations

import os
import struct

import pytest

from lumiscope.server.isolation._seccomp import filter_program
from lumiscope.server.isolation._syscalls import (
    AUDIT_ARCHITECTURE,
    JUDGED,
    LAST_KNOWN,
    MACHINES,
    NETWORK,
    REFUSED,
    numbers,
)

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
PROCESS = 4711
READ = {"x86_64": 0, "aarch64": 63}


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel would do: the program run as bpf(4) says."""
    program = filter_program(machine, PROCESS)
    architecture = AUDIT_ARCHITECTURE[machine] if architecture is None else architecture
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    accumulator, line = 0, 0
    steps = list(struct.iter_unpack("HBBI", program))
    while True:
        code, then, otherwise, value = steps[line]
        line += 1
        if code == 0x06:
            return value
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x54:
            accumulator &= value
        else:
            true = accumulator == value if code == 0x15 else accumulator > value
            line += then if true else otherwise


@pytest.fixture(params=MACHINES)
def machine(request) -> str:
    return request.param


def test_ordinary_calls_are_allowed(machine):
    refused = set(numbers(REFUSED + JUDGED, machine).values())
    ordinary = [number for number in range(LAST_KNOWN + 1) if number not in refused]
    assert READ[machine] in ordinary
    assert len(ordinary) > 250
    assert {verdict(machine, number) for number in ordinary} == {ALLOW}


def test_what_is_named_is_refused(machine):
    table = numbers(REFUSED, machine)
    assert {verdict(machine, number) for number in table.values()} == {EPERM}
    assert {"socket", "socketpair", "io_uring_setup"} <= numbers(NETWORK, machine).keys()
    assert len(set(table.values())) == len(table)


def test_threads_yes_processes_no(machine):
    calls = numbers(JUDGED, machine)
    thread = 0x3D0F00  # what the C library asks for: CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD …
    assert verdict(machine, calls["clone"], thread) == ALLOW
    assert verdict(machine, calls["clone"], 0x1200011) == EPERM  # fork
    assert verdict(machine, calls["clone3"]) == ENOSYS


def test_signals_only_to_itself(machine):
    calls = numbers(JUDGED, machine)
    assert verdict(machine, calls["tgkill"], PROCESS, 1, 6) == ALLOW
    assert verdict(machine, calls["tgkill"], PROCESS - 1, 1, 6) == EPERM
    assert verdict(machine, calls["fcntl"], 3, 8, 1) == EPERM  # F_SETOWN
    assert verdict(machine, calls["fcntl"], 3, 3) == ALLOW  # F_GETFL
    assert verdict(machine, calls["prctl"], 1, 0) == EPERM  # PR_SET_PDEATHSIG
    assert verdict(machine, calls["prctl"], 15, 0) == ALLOW  # PR_SET_NAME


def test_nothing_is_emptied_by_reading(machine):
    openat = numbers(JUDGED, machine)["openat"]
    assert verdict(machine, openat, 0, 0, os.O_RDONLY | os.O_TRUNC | os.O_CLOEXEC) == EPERM
    assert verdict(machine, openat, 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    assert verdict(machine, openat, 0, 0, os.O_WRONLY | os.O_TRUNC) == ALLOW  # Landlock's to judge
    assert verdict(machine, numbers(JUDGED, machine)["openat2"]) == ENOSYS


def test_other_ways_in_are_shut(machine):
    assert verdict(machine, READ[machine], architecture=0x40000003) == KILL  # 32-bit calls
    assert verdict(machine, 0x40000000) == KILL  # x32
    assert verdict(machine, LAST_KNOWN + 1) == ENOSYS  # not yet invented
