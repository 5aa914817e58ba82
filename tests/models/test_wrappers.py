"""Networks inside networks: stages are looked for where they are, not at the wrapper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lumiscope.images import Geometry
from lumiscope.models import TorchModel


def stage(width_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width_in, width, 3, stride=2, padding=1), nn.ReLU())


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = stage(3, 4), stage(4, 6), stage(6, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(self.b(self.a(x)))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.fc = Backbone(), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.backbone(x).mean((2, 3)))


class Wrap(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = Net()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


class Normalize(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - 0.5) / 0.5


class Halving(nn.Module):
    """A residual block that halves the resolution: one block, though two resolutions and widths are inside."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 12, 3, stride=2, padding=1)
        self.way = nn.Conv2d(8, 12, 1, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(x)) + self.way(x)


def load(module: nn.Module) -> TorchModel:
    zero, ones = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return TorchModel(module.eval(), Geometry((64, 64), mode="squash"), mean=zero, std=ones)


@pytest.mark.parametrize(
    ("module", "prefix"),
    [(Net(), "backbone."), (Wrap(), "model.backbone."), (nn.Sequential(Normalize(), Net()), "1.backbone.")],
)
def test_stages_inside_wrappers_are_found(module: nn.Module, prefix: str) -> None:
    model = load(module)
    assert model.target_layer == f"{prefix}c"
    assert model.select_layers(["auto:5"]) == [f"{prefix}a", f"{prefix}b", f"{prefix}c"]


def test_a_block_that_halves_the_resolution_is_one_block() -> None:
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 3))
    model = load(nn.Sequential(Backbone(), Halving(), head))
    assert model.select_layers(["auto:5"]) == ["0.a", "0.b", "0.c", "1"]
    assert model.target_layer == "1"


def test_the_code_of_ones_own_network_is_in_the_fingerprint(tmp_path, monkeypatch) -> None:
    import importlib
    import sys

    from lumiscope.models import load_model

    code = "import torch\nclass Own(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    code += "        self.fc = torch.nn.Linear(3, 2)\n"
    code += "    def forward(self, x):\n        return {} * self.fc(x.mean((2, 3)))\n"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    prints = []
    for factor in (1, 3, 1):
        (tmp_path / "own_net.py").write_text(code.format(factor))
        sys.modules.pop("own_net", None)
        importlib.invalidate_caches()
        prints.append(load_model("python:own_net:Own", input_size=32).fingerprint)
    assert prints[0] == prints[2] != prints[1]


def test_a_factory_that_takes_no_number_of_classes_gets_none(tmp_path, monkeypatch) -> None:
    from lumiscope.models import load_model

    code = "import torch\ndef plain():\n    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 2))\n"
    (tmp_path / "plain_net.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    weights = {"1.weight": torch.ones(2, 48), "1.bias": torch.zeros(2)}
    torch.save(weights, tmp_path / "w.pt")
    model = load_model("python:plain_net:plain", weights="w.pt", classes=["a", "b"], input_size=4)
    assert model.classes == ("a", "b")
    assert torch.equal(model.module[1].weight, weights["1.weight"])


def test_a_class_file_of_the_wrong_length_is_blamed(tmp_path) -> None:
    from lumiscope.errors import WeightsError
    from lumiscope.models.weights import fit_weights, read_checkpoint

    torch.save(nn.Linear(3, 5).state_dict(), tmp_path / "w.pt")
    module, checkpoint = nn.Linear(3, 4), read_checkpoint(tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"have 5 outputs, but names.txt has 4"):
        fit_weights(module, checkpoint, partial=False, hint="names.txt has 4 class names.")


def test_a_network_that_gives_nan_is_told_in_words() -> None:
    from lumiscope.errors import ModelError

    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    nn.init.constant_(module[4].bias, torch.nan)
    with pytest.raises(ModelError, match="NaN"):
        load(module).split("1")
