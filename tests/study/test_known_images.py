"""What a study knows of its probing images, and which units are the classes' scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lumiscope.images import open_images
from lumiscope.models import TorchModel, load_model
from lumiscope.study.stages.labels import gives_scores, known_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.png to d.png, of which c is a copy of b; e in a folder of its own."""
    (tmp_path / "deep").mkdir()
    for name, grey in {"a": 1, "b": 2, "c": 2, "d": 4, "deep/e": 5}.items():
        Image.fromarray(np.full((8, 8, 3), grey, np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def test_the_column_group_says_what_belongs_together(folder: Path) -> None:
    """An empty cell is a group by itself, or with files of the same content; folders are classes if none are known."""
    (folder / "list.csv").write_text("image,group\na.png,scene 1\nb.png,\nc.png,\nd.png,scene 1\ndeep/e.png,\n")
    known = known_of(open_images(folder / "list.csv"))
    assert known.groups == (0, 1, 1, 0, 2)
    assert known.classes == (0, 0, 0, 0, 1)


def test_without_the_column_nothing_is_known_but_classes(folder: Path) -> None:
    (folder / "list.csv").write_text("image,class_name\na.png,cat\nb.png,dog\nc.png,cat\n")
    known = known_of(open_images(folder / "list.csv"))
    assert (known.groups, known.classes) == (None, (0, 1, 0))
    alike = known_of(open_images([folder / "a.png", folder / "b.png"]))
    assert (alike.groups, alike.classes) == (None, None), "one folder tells nothing"


@pytest.mark.parametrize(("layer", "classes"), [("stage4", False), ("stage5", False), ("fc", True)])
def test_class_units_are_those_after_which_nothing_has_weights(layer: str, classes: bool) -> None:
    assert gives_scores(load_model("world:objects"), layer) is classes


def test_what_follows_the_last_weights_gives_scores_unless_it_is_a_map(tiny: TorchModel) -> None:
    names = [layer.name for layer in tiny.layers]
    assert isinstance(tiny.module[-1], torch.nn.Linear)
    assert [name for name in names if gives_scores(tiny, name)] == names[names.index(str(len(tiny.module) - 1)) :]
