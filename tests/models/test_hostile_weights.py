"""Hostile, damaged and enormous files of weights: refused in words, nothing run, no memory taken."""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import operator
import os
import pathlib
import pickle
import re
import runpy
import shutil
import struct
import subprocess
import time
import tracemalloc
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import WeightsError
from lumiscope.models.weights import check_weights, fit_weights, read_checkpoint, read_weights

MAGIC = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]


class Calls:
    """Unpickling it calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def archive(path, pickled, *, compressed=False, **entries):
    """A file as `torch.save` writes it, with this pickle."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr("w/data.pkl", pickled)
        for name, content in entries.items():
            file.writestr(f"w/data/{name[1:]}", content)


def legacy(path, *pickles):
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in MAGIC) + b"".join(pickles) + pickle.dumps([], 2))


FORMS = {"zip": archive, "legacy": legacy, "plain": lambda path, pickled: path.write_bytes(pickled)}
TRAP = "open(%r, 'w')"


def hostile(trap):
    text = TRAP % str(trap)
    return [
        Calls(eval, text),
        Calls(exec, text),
        Calls(os.system, f"touch {trap}"),
        Calls(os.mkdir, str(trap)),
        Calls(subprocess.Popen, ["touch", str(trap)]),
        Calls(pathlib.Path.touch, trap),
        Calls(shutil.copy, __file__, str(trap)),
        Calls(functools.partial(os.mkdir, str(trap))),
        Calls(getattr, "text", "upper"),
        Calls(operator.methodcaller("touch"), trap),
        Calls(map, os.mkdir, [str(trap)]),
        Calls(builtins.__import__, "antigravity"),
        Calls(runpy.run_path, str(trap)),
        Calls(torch.load, str(trap)),
        Calls(torch.hub.load, "a", "b"),
        Calls(torch.serialization.add_safe_globals, [os.mkdir]),
        Calls(torch.jit.load, str(trap)),
        Calls(open, str(trap), "w"),
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", range(18))
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_hostile_pickles_are_refused_and_nothing_runs(tmp_path, form, number, protocol):
    trap = tmp_path / "trap"
    FORMS[form](tmp_path / "w.pt", pickle.dumps({"state_dict": {}, "a": hostile(trap)[number]}, protocol))
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.pt")
    assert not trap.exists()


OPCODES = {
    "inst": b"(S'touch trap'\nios\nsystem\n.",
    "extension": b"\x80\x02\x82\x01.",
    "object": b"(cos\nsystem\nS'touch trap'\no.",
    "a name of many dots": b"\x80\x04\x8c\x08builtins\x8c\x0deval.__call__\x93.",
    "a torch name that is no constant": b"\x80\x02ctorch\nload\n.",
    "a submodule of a harmless one": b"\x80\x02cnumpy.core.multiarray\nfromfile\n.",
    "a name in another encoding": "\x80\x02cbuiltins\n\u0435val\n.".encode("latin-1", "replace"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OPCODES)
def test_opcodes_that_torch_never_writes(tmp_path, form, name):
    FORMS[form](tmp_path / "w.pt", OPCODES[name])
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.pt")


def doubled(levels):
    """A tuple that holds itself 2^levels times over: its hash would take for ever."""
    value = (1,)
    for _ in range(levels):
        value = (value, value)
    return value


def keyed_by(key_opcodes):
    return b"\x80\x02}" + key_opcodes + b"K\x01s."


SELF_REFERRING = b"]q\x00h\x00a\x85"  # a tuple with a list that holds itself


@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize(
    "key", [SELF_REFERRING, pickle.dumps(doubled(60), 2)[2:-1], b"]", b"}"], ids=["itself", "doubled", "list", "dict"]
)
def test_keys_that_cannot_be_keys(tmp_path, form, key):
    begin = time.monotonic()
    FORMS[form](tmp_path / "w.pt", keyed_by(key))
    with pytest.raises(WeightsError, match=r"a key is a (tuple|list|dict) that is no text, number or short tuple"):
        read_weights(tmp_path / "w.pt")
    assert time.monotonic() - begin < 5


def test_content_that_holds_itself(tmp_path):
    content = {"weight": torch.ones(1)}
    content["again"] = content
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"at 'again\.' it holds itself"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("wide", [2, 40])
def test_content_that_is_shared_too_often(tmp_path, wide):
    content = {"weight": torch.ones(1)}
    for _ in range(12 if wide == 40 else 40):
        content = {str(number): content for number in range(wide)}
    torch.save(content, tmp_path / "w.pt")
    begin = time.monotonic()
    with pytest.raises(WeightsError, match="nested more than 12 levels deep, or has more than"):
        read_weights(tmp_path / "w.pt")
    assert time.monotonic() - begin < 20


@pytest.fixture
def little_memory():
    """Whatever happens, less than 64 MiB are taken."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


TEN_GB = 10 * 10**9


@pytest.mark.parametrize(
    "begin", [b"", b"\x80\x02", b"PK\x03\x04", b"(", b"\x80\x02X\xff\xff\xff\x7f", b"V", b"\x89HDF"]
)
def test_files_of_10_gb_are_refused_by_their_kind(tmp_path, little_memory, begin):
    with (tmp_path / "w.pt").open("wb") as file:
        file.write(begin)
        file.truncate(TEN_GB)
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.pt")


def test_a_header_of_10_gb(tmp_path, little_memory):
    with (tmp_path / "w.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", TEN_GB - 8) + b'{"')
        file.truncate(TEN_GB)
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.safetensors")


def tensor_pickle(shape, count):
    """The pickle of {"weight": a tensor of this shape in a storage of `count` numbers}."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(value, io.BytesIO) else None

    file = io.BytesIO()
    stride = tuple(torch.empty(shape, device="meta").stride()) if count > 8 else (0,) * len(shape)
    rebuilt = Calls(torch._utils._rebuild_tensor_v2, io.BytesIO(), 0, shape, stride, False, None)
    Pickler(file, 2).dump({"weight": rebuilt})
    return file.getvalue()


def test_a_tensor_of_10_gb_is_never_read(tmp_path, little_memory):
    """A sparse file, whole and sound: it fits no network, and is refused by the shape that it declares."""
    count = TEN_GB // 4
    begin = b"".join(pickle.dumps(part, 2) for part in MAGIC) + tensor_pickle((count,), count) + pickle.dumps(["0"], 2)
    with (tmp_path / "w.pt").open("wb") as file:
        file.write(begin + struct.pack("<q", count))
        file.truncate(len(begin) + 8 + count * 4)
    checkpoint = read_checkpoint(tmp_path / "w.pt")
    assert tuple(checkpoint.tensors["weight"].shape) == (count,)
    with pytest.raises(WeightsError, match=rf"weight \(file \({count},\), model \(2, 3\)\)"):
        fit_weights(torch.nn.Linear(3, 2), checkpoint, partial=False)


@pytest.mark.parametrize("count", [1, 2**40])
def test_a_tensor_that_repeats_one_number_for_ever(tmp_path, little_memory, count):
    archive(tmp_path / "w.pt", tensor_pickle((2**20, 2**20), count), _0=b"\0" * 4)
    with pytest.raises(WeightsError):
        fit_weights(torch.nn.Linear(3, 2), read_checkpoint(tmp_path / "w.pt"), partial=False)


def test_a_pickle_deep_inside_an_archive_is_none_of_torch(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as file:
        file.writestr("backup/w/data.pkl", tensor_pickle((5, 3), 15))
    with pytest.raises(WeightsError, match=r"torch\.save did not write; backup/w/data\.pkl"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("entry", ["_0", "_1"])
def test_zip_bombs(tmp_path, little_memory, entry):
    archive(tmp_path / "w.pt", tensor_pickle((5, 3), 15), compressed=True, **{"_0": b"\0" * 60, entry: bytes(2**24)})
    assert (tmp_path / "w.pt").stat().st_size < 2**16
    with pytest.raises(WeightsError, match=r"compressed archive, whose [\d,]+ bytes unpack to 16,7[\d,]+"):
        read_weights(tmp_path / "w.pt")


def test_entries_that_overlap(tmp_path, little_memory):
    """A directory that names one stored entry again and again unpacks to more than the file has."""
    archive(tmp_path / "w.pt", tensor_pickle((5, 3), 15), _0=bytes(2**16))
    with zipfile.ZipFile(tmp_path / "w.pt", "a") as file:
        entry = file.infolist()[-1]
        for number in range(1000):
            again = zipfile.ZipInfo(f"w/data/{number + 1}")
            again.header_offset, again.file_size, again.compress_size = entry.header_offset, 2**16, 2**16
            again.CRC = entry.CRC
            file.filelist.append(again)
        file._didModify = True
    with pytest.raises(WeightsError, match="unpack to"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("form", ["zip", "zip64"])
def test_a_list_of_entries_that_fills_the_file(tmp_path, little_memory, form):
    """`zipfile` reads the list whole, as long as its record says that it is."""
    length = TEN_GB if form == "zip64" else 4 * 10**9
    with (tmp_path / "w.pt").open("wb") as file:
        file.write(b"PK\x03\x04")
        file.seek(length)
        if form == "zip64":
            file.write(struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, length - 4, 4))
            file.write(struct.pack("<4sIQI", b"PK\x06\x07", 0, length, 1))
        declared = 0xFFFFFFFF if form == "zip64" else length - 4
        file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, declared, 4, 0))
    with pytest.raises(WeightsError, match=rf"its list of entries has {length - 4:,} bytes"):
        read_weights(tmp_path / "w.pt")


def test_a_text_that_is_larger_than_a_pickle_may_be(tmp_path, little_memory):
    archive(tmp_path / "w.pt", b"\x80\x04\x8d" + struct.pack("<Q", TEN_GB) + b"a.")
    with pytest.raises(WeightsError, match="has more than"):
        read_weights(tmp_path / "w.pt")


def test_a_tensor_beyond_its_storage(tmp_path):
    archive(tmp_path / "w.pt", tensor_pickle((5, 3), 14), _0=b"\0" * 56)
    with pytest.raises(WeightsError, match=r"damaged.*\(5, 3\) goes beyond the 14 numbers"):
        read_weights(tmp_path / "w.pt")
    archive(tmp_path / "w.pt", tensor_pickle((5, 3), 15), _0=b"\0" * 56)
    with pytest.raises(WeightsError, match=r"damaged.*storage '0' is not there, or too short"):
        read_weights(tmp_path / "w.pt")


def test_archives_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as file:
        file.writestr("word/document.xml", "")
    with pytest.raises(WeightsError, match=r"a zip archive that torch\.save did not write; word/document\.xml"):
        read_weights(tmp_path / "w.pt")
    with zipfile.ZipFile(tmp_path / "s.pt", "w") as file:
        file.writestr("s/data.pkl", b"")
        file.writestr("s/constants.pkl", b"")
    with pytest.raises(WeightsError, match="TorchScript archive"):
        read_weights(tmp_path / "s.pt")


def test_a_pipe_is_no_weights(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WeightsError, match="there is no weight file"):
        read_weights(tmp_path / "pipe")


def test_a_folder_is_no_weights_but_has_some(tmp_path):
    expected = rf"^expected a weight file; {re.escape(str(tmp_path))} is a folder\. "
    with pytest.raises(WeightsError, match=expected + r"No file in it ends in \.safetensors, .*: give one"):
        check_weights(tmp_path)
    for name in ("b.pth", "a.safetensors", "c.bin", "d.pt", "notes.txt", "config.json"):
        (tmp_path / name).touch()
    (tmp_path / "e.pt").mkdir()
    listed = r"Give a file in it: a\.safetensors, b\.pth, c\.bin and 1 more; or the folder as the model"
    for read in (check_weights, read_weights):
        with pytest.raises(WeightsError, match=expected + listed + ".* --model local-dir:"):
            read(tmp_path)


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_a_file_with_any_byte_wrong_or_cut_anywhere_is_read_or_refused(tmp_path, form):
    path = tmp_path / "w.pt"
    state = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "epoch": 3}, path, _use_new_zipfile_serialization=form == "zip")
    whole = path.read_bytes()
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(len(whole), (250,), generator=generator).tolist()
    values = torch.randint(256, (250,), generator=generator).tolist()
    damaged = [whole[:at] + bytes([value]) + whole[at + 1 :] for at, value in zip(places, values, strict=True)]
    for content in [*damaged, *(whole[:at] for at in places[:100])]:
        path.write_bytes(content)
        with contextlib.suppress(WeightsError):
            assert all(isinstance(tensor, torch.Tensor) for tensor in read_weights(path).values())
