"""Checkpoints whose names or neighbours mislead: wrappers inside names, averaged weights, what a training left."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lumiscope.cli.output import _cell
from lumiscope.errors import UsageError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel, load_model
from lumiscope.models.weights import fit_weights, read_checkpoint


def network(seed: int) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 2),
    )


def loaded(path: Path, content: object) -> tuple[torch.nn.Module, tuple[str, ...]]:
    torch.save(content, path)
    module = network(9)
    return module, fit_weights(module, read_checkpoint(path), partial=False).notes


def same(module: torch.nn.Module, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in module.state_dict().items())


@pytest.mark.parametrize("word", ["_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"])
def test_wrappers_inside_names(word: str, tmp_path: Path) -> None:
    state = network(0).state_dict()
    named = {f"0.{word}.{key[2:]}" if key.startswith("0.") else key: value for key, value in state.items()}
    module, notes = loaded(tmp_path / "w.pt", {"state_dict": named})
    assert same(module, state)
    assert any(word in note for note in notes)


@pytest.mark.parametrize(
    "name",
    ["ema_state_dict", "model_ema_state_dict", "ema_weights", "module_ema", "swa_state_dict", "teacher_state_dict"],
)
def test_averaged_weights_go_first_however_they_are_called(name: str, tmp_path: Path) -> None:
    raw, averaged = network(0).state_dict(), network(1).state_dict()
    module, notes = loaded(tmp_path / "w.pt", {"state_dict": raw, name: averaged})
    assert same(module, averaged)
    assert any(name in note for note in notes)


@pytest.mark.parametrize(
    ("chosen", "other", "rule"),
    [
        ("best", "last", "the first in the file"),
        ("epoch_1", "epoch_2", "the first in the file"),
        ("generator", "discriminator", "the first in the file"),
        ("ema", "model", "averaged weights"),
        ("state_dict", "model", "usual names go first"),
        ("best", "runs.best", "the shorter way"),
    ],
)
def test_the_note_gives_the_rule_that_decided(chosen: str, other: str, rule: str, tmp_path: Path) -> None:
    module, notes = loaded(
        tmp_path / "w.pt", {chosen: network(1).state_dict(), "runs": {}, other: network(2).state_dict()}
    )
    assert same(module, network(1).state_dict())
    assert len(notes) == 1
    assert f"'{other}.' fit as well ({rule}" in notes[0]
    assert ("averaged" in notes[0]) == (chosen == "ema")


@pytest.mark.parametrize("name", ["grads", "momentum", "optimizer"])
def test_what_a_training_keeps_comes_last(name: str, tmp_path: Path) -> None:
    weights, others = network(0).state_dict(), network(1).state_dict()
    module, _ = loaded(tmp_path / "w.pt", {name: others, "w": weights})
    assert same(module, weights)


@pytest.mark.parametrize(
    "nothing", [torch.nn.Dropout(), torch.nn.Sequential(), torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Identity())]
)
def test_a_classifier_that_does_nothing_is_none(nothing: torch.nn.Module) -> None:
    class Backbone(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = torch.nn.Conv2d(3, 8, 3)
            self.fc = nothing

        def forward(self, x):
            return self.fc(self.stem(x).relu().mean((2, 3)))

    model = TorchModel(Backbone().eval(), Geometry((16, 16), mode="squash"), mean=(0.5,) * 3, std=(0.5,) * 3)
    assert model.headless


@pytest.mark.parametrize("address", ["http://[::1", "http://[]", "http://[::1]:x/"])
def test_an_address_that_is_none_is_told_so(address: str) -> None:
    with pytest.raises(UsageError, match="expected the address of a server"):
        load_model(address)


def test_a_name_with_a_line_break_stays_in_its_row() -> None:
    assert _cell("image", "new\nline\tend.png") == "new\\nline\\tend.png"


HEADS = """
import torch
from torch.nn import functional

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 3)
        self.inner = torch.nn.Linear(8, 8)
        self.head = torch.nn.Linear(8, 3, bias=False)
        self.matrix = torch.nn.Parameter(torch.randn(3, 8))
        self.how = None

    def forward(self, x):
        x = self.inner(self.stem(x).relu().mean((2, 3)))
        if self.how == "cosine":
            return functional.linear(functional.normalize(x), functional.normalize(self.head.weight))
        return x @ self.matrix.t()

def cosine():
    net = Net()
    net.how = "cosine"
    return net

def matrix():
    return Net()
"""


@pytest.mark.parametrize(
    ("name", "key", "other"), [("cosine", "head.weight", "matrix"), ("matrix", "matrix", "head.weight")]
)
def test_a_classifier_that_is_no_layer_is_found_untrained(name, key, other, tmp_path, monkeypatch) -> None:
    (tmp_path / f"{name}_heads.py").write_text(HEADS)
    monkeypatch.syspath_prepend(tmp_path)
    torch.manual_seed(0)
    state = load_model(f"python:{name}_heads:{name}", input_size=16).module.state_dict()
    asked = {"weights_partial": True, "input_size": 16, "weights": tmp_path / "w.pt"}
    torch.save({part: value for part, value in state.items() if part != key}, tmp_path / "w.pt")
    model = load_model(f"python:{name}_heads:{name}", **asked)
    assert key in model.untrained
    torch.save({part: value for part, value in state.items() if part != other}, tmp_path / "w.pt")
    assert load_model(f"python:{name}_heads:{name}", **asked).untrained == ""


def test_an_enormous_input_size_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(UsageError, match="at most 8,192 pixels a side; got 100000000"):
        load_model("world:objects", input_size=100_000_000)
