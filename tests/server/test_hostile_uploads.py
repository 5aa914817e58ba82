"""Uploads that mean harm: nothing of them runs, none takes long or much memory, each is refused with a reason."""

from __future__ import annotations

import functools
import io
import json
import os
import pickle
import struct
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins import ENDINGS, HandInRefused, read_hand_in

VIEW = (128, 128)
NAMES = ("picture-01", "picture-02", "picture-03", "picture-04")
MARKER = Path(tempfile.gettempdir()) / f"lumiscope-ran-{os.getpid()}"  # there if anything was run
MOST_MEMORY = 2**26  # bytes that any refusal may take; the uploads here ask for up to an exabyte


class Gadget:
    """Runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


def npy(header: str, numbers: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + numbers


def described(shape: str = "(128, 128)", dtype: str = "'<f4'", fortran: str = "False") -> str:
    return f"{{'descr': {dtype}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def archive(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return content.getvalue()


def array_named(part: bytes) -> bytes:
    return archive({f"{name}.npy": part for name in NAMES})


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int = 128, height: int = 128, bits: int = 8, pixels: bytes | None = None, *more: bytes) -> bytes:
    rows = b"".join(b"\0" + bytes(width * bits // 8) for _ in range(height)) if pixels is None else pixels
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tensors(header: object, numbers: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def patched_size(content: bytes, size: int) -> bytes:
    """The archive, with another unpacked size of its parts in the directory."""
    directory = content.index(b"PK\x01\x02")
    return content[: directory + 24] + struct.pack("<I", size) + content[directory + 28 :]


def tensor_of(shape: object, dtype: str = "F32", offsets: tuple[int, int] = (0, 65536)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def uploads(marker: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each."""
    run = f"touch {marker}"
    gadget = pickle.dumps({"picture-01": Gadget(run)})
    yield "explain_params.pkl", gadget
    yield "p.pkl", b"cos\nsystem\n(S'" + run.encode() + b"'\ntR."
    yield "p.pkl", b"\x80\x04" + b"]" * 40 + b"." * 3
    yield "p.pkl", pickle.dumps({name: {"num_samples": 9} for name in NAMES})[:-1]
    yield "p.pkl", pickle.dumps({name: {"num_samples": np.int64(9)} for name in NAMES})
    yield "p.json", gadget
    yield "p.json", b"[" * 200_000
    yield "p.json", b'{"picture-01": {"num_samples": NaN}}'
    yield "p.json", b'{"picture-01": {}, "picture-01": {}}'
    yield "p.json", json.dumps({name: {"num_samples": 10**400} for name in NAMES}).encode()
    yield "p.json", b'{"picture-01": {"num_samples": ' + b"9" * 5000 + b"}}"
    yield "p.json", json.dumps({name: {"segmenter": f"python:os:{run}"} for name in NAMES}).encode()
    yield "p.json", json.dumps({name: {"segmenter": "mask:../truth/picture-01.png"} for name in NAMES}).encode()
    yield "p.json", json.dumps({f"<script>{number}</script>": {} for number in range(50_000)}).encode()
    yield "p.json", json.dumps({name: {f"k{number}": 1 for number in range(20_000)} for name in NAMES}).encode()
    yield "p.json", json.dumps({"\x1b[31m\ud83d\u202e" + "x" * 10_000: {}}).encode()
    yield "p.json", b"\xff\xfe{}"
    yield "p.json", b"null"
    yield "p.toml", b"a" + b".a" * 100_000 + b" = 1"
    yield "p.toml", b"picture-01 = { num_samples = inf }"
    yield "p.toml", b"[[[[[["
    yield "m.npz", archive({f"{name}.npy": gadget for name in NAMES})
    yield "m.npz", array_named(npy(described(dtype="'|O'"), gadget))
    yield "m.npz", array_named(npy(described(shape="(10**9, 10**9)")))
    yield "m.npz", array_named(npy(described(shape="(1000000000, 1000000000)")))
    yield "m.npz", array_named(npy(described(shape="(-1, 128)")))
    yield "m.npz", array_named(npy(described(shape="(128, 128.0)")))
    yield "m.npz", array_named(npy(described(shape="'128'")))
    yield "m.npz", array_named(npy(described(dtype="'<c8'"), bytes(131072)))
    yield "m.npz", array_named(npy(described(dtype="[('a', '<f4')]"), bytes(65536)))
    yield "m.npz", array_named(npy(described(dtype="'<f4'"), bytes(100)))
    yield "m.npz", array_named(npy(f"__import__('os').system('{run}')"))
    yield "m.npz", array_named(npy("(" * 3000))
    yield "m.npz", array_named(npy("{" + "'a': 1, " * 5000 + "}"))
    yield "m.npz", array_named(npy(described(), bytes(65536), b"\x09\x00"))
    yield "m.npz", array_named(npy(described(), struct.pack("<f", float("nan")) * 16384))
    yield "m.npz", array_named(npy(described(dtype="'<f8'"), struct.pack("<d", float("inf")) * 16384))
    yield "m.npz", array_named(bytes(50_000_000))
    yield "m.npz", patched_size(archive({"picture-01.npy": bytes(50_000_000)}), 100)
    yield "m.npz", archive({f"../../{name}.npy": npy(described(), bytes(65536)) for name in NAMES})
    yield "m.npz", archive({f"/etc/{name}.npy": npy(described(), bytes(65536)) for name in NAMES})
    yield "m.npz", archive({f"..\\{name}.npy": npy(described(), bytes(65536)) for name in NAMES})
    yield "m.npz", archive({f"p{number}.npy": b"" for number in range(20_000)})
    yield "m.npz", archive({"x" * 60_000 + ".npy": b""})
    yield "m.npz", b"#!/bin/sh\n" + archive({"picture-01.npy": b""})
    yield "m.npz", archive({"picture-01.npy": b""}) + b"<script>alert(1)</script>"
    yield "m.npz", archive({"picture-01.npy": b""}, zipfile.ZIP_LZMA)
    yield "m.npz", b"PK\x03\x04" + b"PK\x05\x06" + bytes(18)
    yield "m.npz", b"PK\x05\x06" + bytes(18)
    yield "m.npz", archive({"picture-01.npy": npy(described(), bytes(65536))})[:-30]
    yield "m.safetensors", struct.pack("<Q", 2**63) + b"{}"
    yield "m.safetensors", struct.pack("<Q", 2**20 + 1) + bytes(2**20 + 2)
    yield "m.safetensors", b"\0\0"
    yield "m.safetensors", tensors(b"[" * 100_000)
    yield "m.safetensors", tensors([1, 2])
    yield "m.safetensors", tensors({"picture-01": 3})
    yield "m.safetensors", tensors({"picture-01": tensor_of([2**40, 2**40])})
    yield "m.safetensors", tensors({name: tensor_of([128, 128], offsets=(0, 2**60)) for name in NAMES}, bytes(65536))
    yield "m.safetensors", tensors({name: tensor_of([128, 128]) for name in NAMES}, bytes(65536))
    yield "m.safetensors", tensors({name: tensor_of([128, 128], "BF16", (0, 32768)) for name in NAMES}, bytes(32768))
    yield "m.safetensors", tensors(b'{"picture-01": {}, "picture-01": {}}')
    yield "m.safetensors", tensors({f"t{number}": tensor_of([0], offsets=(0, 0)) for number in range(10_000)})
    yield "m.png", png(2**31 - 1, 2**31 - 1, pixels=b"")
    yield "m.png", png(pixels=bytes(100_000_000))[:50_000] * 2
    yield "m.png", png(0, 0, pixels=b"")
    yield "m.png", b"\x89PNG\r\n\x1a\n"
    yield "m.png", b"GIF89a" + bytes(100)
    yield "m.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    yield "m.zip", archive({f"{name}.png": png(60_000, 60_000, pixels=b"") for name in NAMES})
    yield "m.zip", archive({f"{name}.png": png(pixels=b"\7" * 10) for name in NAMES})
    yield "m.zip", archive({f"{name}.png": b"\x89PNG\r\n\x1a\n" + bytes(40) for name in NAMES})
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(80_000_000)))
    yield "m.zip", archive({f"{name}.png": png(128, 128, 8, None, text) for name in NAMES[:3]})
    yield "m.zip", archive({f"{name}.png": archive({"picture-01.png": png()}) for name in NAMES})
    yield "../../etc/passwd", b"root"
    yield "p.json\0.png", b"{}"
    yield "<img src=x onerror=alert(1)>.html", b"{}"
    yield "p.exe", b"MZ"
    yield "p", b"{}"
    yield "", b"{}"
    yield "p.json", b""
    yield "p.npz", bytes(2**21 + 1)


@functools.cache
def all_uploads() -> list[tuple[str, bytes]]:
    return list(uploads(MARKER))


COUNT = 81


def test_all_are_tried() -> None:
    assert len(all_uploads()) == COUNT


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", range(COUNT))
def test_it_is_refused_with_a_reason(number: int, challenge: Challenge) -> None:
    name, content = all_uploads()[number]
    tracemalloc.start()
    try:
        with pytest.raises(HandInRefused) as refused:
            read_hand_in(name, content, challenge)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not MARKER.exists()
    assert peak < MOST_MEMORY
    faults = refused.value.faults
    assert 0 < len(faults) <= 101
    for fault in faults:
        assert fault.where
        assert fault.expected
        assert fault.came
        assert all(text.isprintable() and len(text) < 400 for text in vars(fault).values())


@settings(max_examples=25)
@given(ending=st.sampled_from(ENDINGS), content=st.binary(min_size=1, max_size=400))
def test_noise_is_refused(ending: str, content: bytes, challenge: Challenge) -> None:
    with pytest.raises(HandInRefused):
        read_hand_in(f"x{ending}", content, challenge)


@settings(max_examples=25)
@given(data=st.data())
def test_damage_is_refused_or_makes_no_difference(
    data: st.DataObject, challenge: Challenge, npz: Callable[..., bytes]
) -> None:
    """Any byte of good files changed: a hand-in of the very shape comes of it, or a refusal."""
    good = {
        "m.npz": npz({name: np.eye(128, dtype=np.float32) for name in NAMES}),
        "m.zip": archive({f"{name}.png": png() for name in NAMES}),
        "p.json": json.dumps({name: {"num_samples": 9, "num_features": 3} for name in NAMES}).encode(),
        "p.pkl": pickle.dumps({name: {"num_samples": 9, "num_features": 3} for name in NAMES}),
    }
    name = data.draw(st.sampled_from(sorted(good)))
    content = bytearray(good[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        hand_in = read_hand_in(name, bytes(content), challenge)
    except HandInRefused:
        return
    values = {"parameters": hand_in.parameters, "maps": hand_in.maps, "masks": hand_in.masks}[hand_in.kind]
    assert tuple(values) == challenge.names
    if hand_in.kind != "parameters":
        assert all(array.shape == VIEW and np.isfinite(array).all() for array in values.values())
