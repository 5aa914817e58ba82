"""Entries of children that mean harm, or go wrong; run by test_children.py in a child."""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

from lumiscope.errors import UsageError


def echo(request, parts, progress):
    for done in range(3):
        progress(done, 2)
    sys.stdout.write("said on standard output\n")
    return {"request": request, "parts": {name: content.decode() for name, content in parts.items()}}


def surroundings(request, parts, progress):
    return {"environment": dict(os.environ), "folder": os.getcwd(), "inherited": _outside_files()}


def _outside_files():
    """What open file descriptors lead to, but for pipes and what Python itself opened."""
    places = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)]
    return [place for place in places if not place.startswith(("pipe:", "/proc/", "/dev/null"))]


def _is_open(number):
    return os.path.lexists(f"/proc/self/fd/{number}")


def connects(request, parts, progress):
    """Which ways to a listening server are open."""
    ways = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", request["tcp"])),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", request["udp"])),
        "abstract unix": (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + request["unix"]),
    }
    return {"open": [name for name, way in ways.items() if not _refused(lambda way=way: _connect(*way))]}


def _connect(family, kind, address):
    with socket.socket(family, kind) as connection:
        connection.connect(address)
        connection.send(b"x")


def reads(request, parts, progress):
    """Which files can be read, also by ways around."""
    ways = {
        path: (path, f"/proc/self/root{path}", f"/proc/{request['parent']}/root{path}") for path in request["paths"]
    }
    return {
        "read": [path for path, names in ways.items() if any(not _refused(Path(name).read_bytes) for name in names)]
    }


def lists_parent(request, parts, progress):
    return {"refused": _refused(Path(f"/proc/{request['parent']}/environ").read_bytes)}


def changes(request, parts, progress):
    """Which changes to a file of the server are possible."""
    path = request["path"]
    ways = {
        "write": lambda: os.close(os.open(path, os.O_WRONLY)),
        "empty": lambda: os.truncate(path, 0),
        "empty when read": lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
        "mode": lambda: os.chmod(path, 0o666),
        "times": lambda: os.utime(path),
        "remove": lambda: os.remove(path),
        "rename": lambda: os.rename(path, path + "x"),
        "link": lambda: os.link(path, path + "y"),
        "symbolic link": lambda: os.symlink(path, path + "z"),
        "folder": lambda: os.mkdir(path + "d"),
    }
    return {"possible": [name for name, way in ways.items() if not _refused(way)]}


def forks(request, parts, progress):
    """A fork bomb, which ends by itself."""
    count = 0
    for _ in range(request["count"]):
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            count += 1
    time.sleep(request["seconds"])
    return {"count": count}


def runs_a_program(request, parts, progress):
    return {"refused": _refused(lambda: os.execv(sys.executable, [sys.executable, "-c", "pass"]))}


def starts_threads(request, parts, progress):
    release = threading.Event()
    threads = [threading.Thread(target=release.wait, daemon=True) for _ in range(request["count"])]
    for thread in threads:
        thread.start()
    time.sleep(request["seconds"])
    release.set()
    return {"count": len(threads)}


def writes_files(request, parts, progress):
    """Files in the scratch folder: {size, count, unlink}."""
    folder = os.environ["TMPDIR"]
    for number in range(request["count"]):
        file = open(os.path.join(folder, str(number)), "wb", buffering=0)  # noqa: SIM115 - stays open
        file.write(bytes(request["size"]))
        if request.get("unlink"):
            os.remove(file.name)
        KEPT.append(file)
        time.sleep(request.get("seconds", 0))
    return {"bytes": request["count"] * request["size"]}


KEPT: list = []


def allocates(request, parts, progress):
    while True:
        KEPT.append(bytearray(2**24))


def allocates_shared(request, parts, progress):
    """Memory that RLIMIT_DATA does not count."""
    while True:
        block = mmap.mmap(-1, 2**24)
        block.write(b"x" * 2**24)
        KEPT.append(block)
        time.sleep(0.005)


def loops(request, parts, progress):
    while True:
        pass


def sleeps(request, parts, progress):
    progress(0, 1)
    time.sleep(60)


def prints(request, parts, progress):
    while True:
        os.write(2, b"x" * 4096)


def answers_much(request, parts, progress):
    return {"text": "x" * request["size"]}


def progresses(request, parts, progress):
    while True:
        progress(1, 2)


def answers_raw(request, parts, progress):
    """Bytes of the sender's choice where the answer belongs."""
    _write_answer(bytes.fromhex(request["hex"]))
    time.sleep(20)


def _write_answer(content):
    for number in range(3, 16):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{number}").startswith("pipe:"):
                os.write(number, content)


def forged(value):
    text = json.dumps(value).encode()
    return struct.pack(">4sI", b"LSF1", len(text)) + text


def ends(request, parts, progress):
    how = request["how"]
    if how == "exit":
        os._exit(3)
    if how == "exit like a signal that is none":
        os._exit(168)
    if how == "sys.exit":
        sys.exit(0)
    if how == "abort":
        os.abort()
    if how == "null pointer":
        ctypes.string_at(0)
    if how == "error of ours":
        raise UsageError("expected a map, got a mask")
    if how == "error":
        raise ValueError("x" * 10_000)
    if how == "no JSON":
        return {"array": object()}
    return {"not": float("nan")}


def uses_torch(request, parts, progress):
    import torch

    torch.set_num_threads(2)
    outputs = torch.nn.Conv2d(3, 8, 3)(torch.ones(4, 3, 64, 64))
    return {"shape": list(outputs.shape)}


def _refused(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
