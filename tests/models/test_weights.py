"""Weight files as people have them: read without running their code, fitted key by key."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import decimal
import fractions
import os
import pathlib
import pickle
import struct
import types
import uuid

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import WeightsError
from lumiscope.models.weights import read_weights


@pytest.fixture
def module(networks):
    return networks.seeded(networks.Residual, 1)


def checkpoint(module, best):
    """What `main.py` of the ImageNet and Places365 training scripts saves as `resnet18_places365.pth.tar`."""
    parallel = torch.nn.DataParallel(module)
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    module(torch.ones(1, 3, 32, 32)).sum().backward()
    optimizer.step()
    assert all(key.startswith("module.") for key in parallel.state_dict())
    return {
        "epoch": 90,
        "arch": "resnet18",
        "state_dict": parallel.state_dict(),
        "best_prec1": best,
        "optimizer": optimizer.state_dict(),
    }


def assert_same(state, module):
    expected = module.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], value) for key, value in expected.items())


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes alike as latin-1 strings, as Python 2 did."""

    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012 - the base class has it so

    def __init__(self, file, protocol=2):
        super().__init__(file, 2)

    def save_old_string(self, text):
        raw = text.encode("latin1") if isinstance(text, str) else text
        if len(raw) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(raw)]) + raw)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(text)

    dispatch[str] = save_old_string
    dispatch[bytes] = save_old_string


PYTHON2 = types.SimpleNamespace(
    __name__="pickle", Pickler=Python2Pickler, dump=lambda content, file, protocol=2: Python2Pickler(file).dump(content)
)
BEST = {"tensor": torch.tensor(54.65), "numpy": np.float64(54.65), "numpy32": np.float32(54.65), "number": 54.65}


@pytest.mark.parametrize("best", BEST)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("python", [pickle, PYTHON2], ids=["python3", "python2"])
def test_a_training_checkpoint(module, tmp_path, best, zipped, python, recwarn):
    path = tmp_path / "resnet18_places365.pth.tar"
    content = checkpoint(module, BEST[best])
    torch.save(content, path, pickle_module=python, _use_new_zipfile_serialization=zipped)
    state = read_weights(path)
    assert_same(state, module)
    assert not [warning for warning in recwarn if "pickle_load_args" in str(warning.message)]


@pytest.mark.parametrize(
    "nest",
    [
        lambda state: state,
        lambda state: {"state_dict": state},
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"model_state_dict": state, "loss": 0.5},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
        lambda state: {"model": {f"module._orig_mod.{key}": value for key, value in state.items()}},
        lambda state: {"state_dict": state, "args": argparse.Namespace(lr=0.1), "seen": np.arange(3)},
    ],
    ids=["bare", "state_dict", "model", "model_state_dict", "twice", "module.", "compiled", "arguments"],
)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pth.tar"])
def test_nests_and_prefixes(module, tmp_path, nest, suffix):
    path = tmp_path / f"weights{suffix}"
    torch.save(nest(module.state_dict()), path)
    assert_same(read_weights(path), module)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_safetensors(module, tmp_path, prefix):
    path = tmp_path / "weights.safetensors"
    save_file({prefix + key: value for key, value in module.state_dict().items()}, path)
    assert_same(read_weights(path), module)


def test_a_prefix_that_only_some_keys_have_stays(tmp_path):
    torch.save({"module.weight": torch.ones(1), "bias": torch.ones(1)}, tmp_path / "w.pt")
    assert set(read_weights(tmp_path / "w.pt")) == {"module.weight", "bias"}


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_malicious_file_is_refused_and_nothing_runs(module, tmp_path, zipped):
    trap = tmp_path / "trap"
    content = {"state_dict": module.state_dict(), "extra": Evil(trap)}
    torch.save(content, tmp_path / "evil.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"holds more than tensors \(\w+\.mkdir\).*nothing was run") as caught:
        read_weights(tmp_path / "evil.pt")
    assert "weights_only" not in str(caught.value)
    assert not trap.exists()


def test_a_malicious_plain_pickle_is_refused(tmp_path):
    trap = tmp_path / "trap"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil(trap)))
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "evil.pth")
    assert not trap.exists()


def test_a_whole_module_is_refused_with_the_way_out(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(WeightsError, match=r"torch\.nn\.modules\.linear\.Linear.*Save model\.state_dict\(\)"):
        read_weights(tmp_path / "whole.pt")


@pytest.mark.parametrize("name", ["w.pt", "w.pth.tar", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x00" * 4096, b"PK\x03\x04broken"])
def test_a_damaged_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} cannot be read as weights: ."):
        read_weights(tmp_path / name)


def test_a_truncated_file(module, tmp_path):
    torch.save(module.state_dict(), tmp_path / "w.pt")
    whole = (tmp_path / "w.pt").read_bytes()
    (tmp_path / "w.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_weights(tmp_path / "w.pt")


def test_a_missing_file_names_the_offline_ways(tmp_path):
    with pytest.raises(WeightsError, match=r"there is no weight file .*none\.pt.*--weights FILE.*HF_HOME"):
        read_weights(tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "names that are text; found none in a list"),
        ({"epoch": 3}, "expected tensors in .*; found none in a dict with 'epoch'"),
        ({0: torch.ones(1), ("a",): torch.ones(1)}, r"found none in a dict with 0, \('a',\)"),
        ({b"model": {"a": torch.ones(2)}}, r"found none in a dict with b'model'; names that are bytes are not read"),
        ({"a": torch.ones(2).to_sparse()}, r"in a dict with 'a'; a is sparse \(save tensor\.to_dense\(\)\)$"),
        ({torch.ones(1): 3}, r"cannot be read as weights: a key is a tensor that is no text, number or short tuple"),
        (b"weights", "found none in a bytes$"),
        ({frozenset([1]): 3}, "found none in a dict with frozenset$"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])  # bytes are written as text in the first
def test_a_file_without_a_state_dict(tmp_path, content, message, protocol):
    torch.save(content, tmp_path / "w.pt", pickle_protocol=protocol)
    with pytest.raises(WeightsError, match=message):
        read_weights(tmp_path / "w.pt")


TENSORS = {
    "plain": torch.arange(6.0).view(2, 3),
    "transposed": torch.arange(6.0).view(2, 3).t(),
    "sliced": torch.arange(20.0)[3:15:4],
    "expanded": torch.ones(2, 1).expand(2, 5),
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 4),
    "channels last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    "parameter": torch.nn.Parameter(torch.arange(3.0)),
    **{
        str(kind): torch.arange(4).to(kind)
        for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32)
    },
    "int64": torch.arange(4),
    "bool": torch.tensor([True, False]),
    "complex": torch.tensor([1 + 2j, 3j]),
    "uint16": torch.arange(4).to(torch.uint16),
    "float8": torch.arange(4.0).to(torch.float8_e4m3fn),
}
NEW_KINDS = {"uint16", "float8"}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_every_tensor_is_what_torch_saved(tmp_path, zipped):
    tensors = {name: value for name, value in TENSORS.items() if zipped or name not in NEW_KINDS}
    shared = torch.arange(10.0)
    tensors |= {"first of a storage": shared[:4], "second of a storage": shared[4:]}
    torch.save(tensors, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    state = read_weights(tmp_path / "w.pt")
    assert state.keys() == tensors.keys()
    for name, value in tensors.items():
        assert state[name].dtype == value.dtype, name
        assert torch.equal(
            state[name].view(torch.uint8) if name == "float8" else state[name],
            value.view(torch.uint8) if name == "float8" else value,
        ), name


def numpy_1(path):
    """The file as NumPy 1 would have made torch write it."""
    raw = path.read_bytes()
    for new, old in (
        (b"numpy._core.multiarray", b"numpy.core.multiarray"),
        (b"numpy._core.numeric", b"numpy.core.numeric"),
    ):
        raw = raw.replace(new, old)
    path.write_bytes(raw)


@dataclasses.dataclass
class Settings:
    rate: float = 0.1


HARMLESS = {
    "numpy scalars": [np.float64(54.6), np.float32(1), np.int64(3), np.bool_(True), np.float16(2), np.str_("a")],
    "numpy arrays": [np.arange(3.0), np.arange(3, dtype="f2"), np.array(["cat", None], object), np.array(["cat"])],
    "numpy types": [np.float32, np.dtype("f4"), np.random.default_rng(0), np.random.RandomState(0)],
    "paths": [pathlib.PosixPath("/data"), pathlib.PureWindowsPath("C:/")],
    "namespaces": [argparse.Namespace(lr=0.1, path=pathlib.PosixPath("/x")), types.SimpleNamespace(a=1)],
    "collections": [collections.defaultdict(list, a=[1]), collections.Counter("aab"), collections.deque([1])],
    "builtins": [{1, 2}, frozenset({1}), 1j, slice(1), range(3), b"x", bytearray(b"x"), (1, "a"), {(0, 1): 2}],
    "times": [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1), datetime.date(2020, 1, 1)],
    "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=3)],
    "torch": [torch.device("cpu"), torch.float32, torch.Size([1]), torch.Generator().get_state(), torch.qint8],
}


@pytest.mark.parametrize("kind", HARMLESS)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_harmless_things_beside_the_weights(module, tmp_path, kind, zipped):
    for beside in HARMLESS[kind]:
        content = {"state_dict": module.state_dict(), "beside": beside}
        torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
        assert_same(read_weights(tmp_path / "w.pt"), module)
        if not zipped and kind == "numpy scalars":  # in an archive the checksum and the lengths would have to follow
            numpy_1(tmp_path / "w.pt")
            assert b"numpy.core" in (tmp_path / "w.pt").read_bytes()
            assert_same(read_weights(tmp_path / "w.pt"), module)


def test_an_object_of_another_class_is_named(module, tmp_path):
    torch.save({"state_dict": module.state_dict(), "settings": Settings()}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"more than tensors \(.*Settings\).*nothing was run"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("suffix", [".bin", ".ckpt", ".pth"])
def test_the_kind_of_a_file_is_what_it_holds_not_its_name(module, tmp_path, suffix):
    save_file(module.state_dict(), tmp_path / f"w{suffix}")
    assert_same(read_weights(tmp_path / f"w{suffix}"), module)
    torch.save(module.state_dict(), tmp_path / "w.safetensors")
    assert_same(read_weights(tmp_path / "w.safetensors"), module)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS: run git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "a web page: the download failed"),
        (b"\x89HDF\r\n\x1a\n", "a HDF5 file"),
        (b"\x1f\x8b\x08", "compressed by gzip: unpack it first"),
        (b'{"weight_map": {}}', "a JSON text, as the index of weights in several files"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"sys_info" + bytes(249) + b"ustar\x0000", "a tar archive: unpack it first"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, content, words):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=f"cannot be read as weights: it is {words}"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickle(module, tmp_path, protocol):
    torch.save({"state_dict": module.state_dict(), "x": 1.5}, tmp_path / "w.pt", pickle_protocol=protocol)
    assert_same(read_weights(tmp_path / "w.pt"), module)


def test_a_whole_model_of_another_kind_has_a_spec_of_its_own(tmp_path):
    (tmp_path / "w.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    with pytest.raises(WeightsError, match=r"it is a whole model; its spec is onnx:.*w\.onnx"):
        read_weights(tmp_path / "w.onnx")
