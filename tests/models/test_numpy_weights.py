"""Files of weights whose values are arrays of NumPy."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.errors import WeightsError
from lumiscope.models.weights import fit_weights, read_checkpoint


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


STATE = network(1).state_dict()
ARRAYS = {key: value.numpy() for key, value in STATE.items()}
NOTE = "{} weights in w.pt are arrays of NumPy, and were taken as tensors"


def each(change):
    """All arrays, changed."""
    return {key: change(value) for key, value in ARRAYS.items()}


FORMS = {
    "at the top": lambda: ARRAYS,
    "nested": lambda: {"epoch": 3, "model": {"net": {f"module.{key}": value for key, value in ARRAYS.items()}}},
    "of the other order of bytes": lambda: each(lambda value: value.astype(value.dtype.newbyteorder(">"))),
    "columns first": lambda: each(lambda value: np.asfortranarray(value) if value.ndim else value),
    "wider": lambda: each(lambda value: value.astype("f8") if value.dtype == np.float32 else value),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("written", ["zip", "legacy", "pickle"])
def test_arrays_are_taken_as_tensors_and_noted(tmp_path, form, protocol, written) -> None:
    path = tmp_path / "w.pt"
    if written == "pickle":
        path.write_bytes(pickle.dumps(FORMS[form](), protocol))
    else:
        torch.save(FORMS[form](), path, pickle_protocol=protocol, _use_new_zipfile_serialization=written == "zip")
    module = network()
    fit = fit_weights(module, read_checkpoint(path), partial=False)
    assert NOTE.format(len(STATE)) in fit.notes
    for key, value in module.state_dict().items():
        assert torch.equal(value, STATE[key]), key


def test_arrays_among_tensors_are_weights_and_those_elsewhere_are_not(tmp_path) -> None:
    mixed = {**STATE, "3.bias": ARRAYS["3.bias"]}
    torch.save(
        {"state_dict": mixed, "history": {"loss": np.arange(5.0)}, "names": np.array(["cat"])}, tmp_path / "w.pt"
    )
    module = network()
    assert fit_weights(module, read_checkpoint(tmp_path / "w.pt"), partial=False).notes == (NOTE.format(1),)
    assert torch.equal(module[3].bias, STATE["3.bias"])


def test_an_array_with_too_few_bytes_is_damaged(tmp_path) -> None:
    damaged = pickle.dumps({"a": np.arange(6, dtype=np.float32)}, 4).replace(b"K\x06\x85", b"K\x07\x85")
    (tmp_path / "w.pt").write_bytes(damaged)
    with pytest.raises(WeightsError, match=r"damaged.*an array of \(7,\) float32 has 24 bytes"):
        read_checkpoint(tmp_path / "w.pt")


def test_arrays_of_objects_are_no_tensors(tmp_path) -> None:
    torch.save({"a": np.array(["cat", None], object), "b": np.array(["cat"])}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="expected tensors"):
        read_checkpoint(tmp_path / "w.pt")


def test_averaged_weights_in_arrays_go_before_raw_tensors(tmp_path) -> None:
    averaged = {key: value.numpy() for key, value in network(2).state_dict().items()}
    torch.save({"state_dict": STATE, "ema": averaged}, tmp_path / "w.pt")
    module = network()
    fit = fit_weights(module, read_checkpoint(tmp_path / "w.pt"), partial=False)
    assert "weights taken from 'ema.' of w.pt" in fit.notes[0]
    assert torch.equal(module[3].weight, network(2)[3].weight)
