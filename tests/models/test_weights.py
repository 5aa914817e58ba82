"""Weight files as people have them: read without running their code, fitted key by key."""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import types

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import WeightsError
from lumiscope.models.weights import fit_weights, read_weights


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
    [([torch.ones(1)], "state dict in .*; got list"), ({"epoch": 3}, "expected tensors in .*; found none")],
)
def test_a_file_without_a_state_dict(tmp_path, content, message):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=message):
        read_weights(tmp_path / "w.pt")


def test_fitting_all(networks, module, tmp_path):
    target = networks.seeded(networks.Residual, 2)
    assert fit_weights(target, module.state_dict(), tmp_path, partial=False) == ""
    assert_same(target.state_dict(), module)


def test_half_precision_weights_go_into_a_float32_network(networks, module, tmp_path):
    target = networks.seeded(networks.Residual, 2)
    half = {key: value.half() if value.is_floating_point() else value for key, value in module.state_dict().items()}
    assert fit_weights(target, half, tmp_path, partial=False) == ""
    assert target.fc.weight.dtype == torch.float32
    assert torch.equal(target.fc.weight, module.fc.weight.half().float())


def test_counters_of_batches_may_be_missing(networks, module, tmp_path):
    target = networks.seeded(networks.Residual, 2)
    state = {key: value for key, value in module.state_dict().items() if "num_batches_tracked" not in key}
    assert len(state) == len(module.state_dict()) - 2
    assert fit_weights(target, state, tmp_path, partial=False) == ""
    assert torch.equal(target.block.bn1.running_mean, module.block.bn1.running_mean)


def misfits(module):
    state = dict(module.state_dict())
    del state["stem.bias"], state["block.bn1.running_var"]
    state["extra.weight"] = torch.ones(2)
    state["fc.weight"], state["fc.bias"] = torch.ones(7, 6), torch.ones(7)
    return state


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(networks, module, tmp_path):
    target = networks.seeded(networks.Residual, 2)
    before = {key: value.clone() for key, value in target.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        fit_weights(target, misfits(module), tmp_path / "w.pt", partial=False)
    for part in (
        "2 missing: stem.bias, block.bn1.running_var",
        "1 unexpected: extra.weight",
        "2 of another shape: fc.weight (file (7, 6), model (4, 6)), fc.bias (file (7,), model (4,))",
        "--num-classes 7",
    ):
        assert part in str(caught.value), part
    assert all(torch.equal(before[key], value) for key, value in target.state_dict().items())


def test_partial_weights_load_what_fits(networks, module, tmp_path):
    target, untouched = networks.seeded(networks.Residual, 2), networks.seeded(networks.Residual, 2)
    said = fit_weights(target, misfits(module), tmp_path, partial=True)
    assert "2 missing" in said
    assert "1 unexpected" in said
    assert "2 of another shape" in said
    assert torch.equal(target.stem.weight, module.stem.weight)
    assert torch.equal(target.stem.bias, untouched.stem.bias)
    assert torch.equal(target.fc.weight, untouched.fc.weight)


@pytest.mark.parametrize("partial", [True, False])
def test_nothing_that_fits_is_an_error(module, tmp_path, partial):
    with pytest.raises(WeightsError, match="fit"):
        fit_weights(module, {"foo": torch.ones(1)}, tmp_path, partial=partial)


def test_long_lists_are_cut(tmp_path):
    module = torch.nn.Sequential(*[torch.nn.Linear(1, 1) for _ in range(30)])
    with pytest.raises(WeightsError, match=r"60 missing: 0\.weight, .*9\.bias, … 40 more"):
        fit_weights(module, {"foo": torch.ones(1)}, tmp_path, partial=False)
