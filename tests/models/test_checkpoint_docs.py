"""docs/checkpoints.md: every row of its tables is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from lumiscope.errors import WeightsError
from lumiscope.models._class_names import read_classes
from lumiscope.models.weights import fit_weights, read_checkpoint

PAGE = (Path(__file__).parents[2] / "docs" / "checkpoints.md").read_text()


def rows(second: str) -> list[tuple[str, str]]:
    """(first cell without its backticks, second cell) of the tables whose second column is called `second`."""
    tables = re.findall(rf"\| [\w ]+ \| {second} \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    return [match for table in tables for match in re.findall(r"^\| `(.+?)` \|(.*)\|$", table, re.MULTILINE)]


def network(seed: int, outputs: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(100, outputs)).eval()


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + key: value for key, value in network(1).state_dict().items()}


def derived(change, *arguments) -> dict[str, torch.Tensor]:
    net = network(1)
    change(net[0], *arguments)
    return net.state_dict()


NAMES = {
    "torch": torch,
    "prune": prune,
    "state": network(1).state_dict(),
    "other": network(2).state_dict(),
    "zeros": torch.zeros(5),
    "prefixed": prefixed,
    "derived": derived,
    "with_outputs": lambda outputs: network(1, outputs).state_dict(),
    "without": lambda name, state: {key: value for key, value in state.items() if not key.endswith(name)},
}


def load(content: str, folder: Path) -> tuple[nn.Module, tuple[str, ...]]:
    target = network(3)
    torch.save(eval(content, dict(NAMES)), folder / "w.pt")
    return target, fit_weights(target, read_checkpoint(folder / "w.pt"), partial=False).notes


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
@pytest.mark.parametrize(("content", "note"), rows("note"))
def test_forms_and_what_is_noted(tmp_path, content, note):
    target, notes = load(content, tmp_path)
    assert "; ".join(notes) == note.strip()
    if "derived" not in content:
        expected = NAMES["other"] if "other" in content else NAMES["state"]
        assert all(torch.equal(value, expected[key]) for key, value in target.state_dict().items())


@pytest.mark.parametrize(("content", "error"), rows("error"))
def test_what_does_not_fit(tmp_path, content, error):
    with pytest.raises(WeightsError) as caught:
        load(content, tmp_path)
    assert str(caught.value).replace(f"{tmp_path}/", "") == error.strip()


@pytest.mark.parametrize(("text", "names"), rows("names"))
def test_class_files(tmp_path, text, names):
    (tmp_path / "names.txt").write_text(text.replace("⏎", "\n"))
    assert " · ".join(read_classes(tmp_path / "names.txt")) == names.strip()


def test_all_rows_were_read():
    assert (len(rows("note")), len(rows("error")), len(rows("names"))) == (23, 5, 30)
