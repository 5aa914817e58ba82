"""Tuning LIME: shared samples give what LIME gives, what is known to be best is found, and what it is worth is said."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lumiscope.agreement import make_mask
from lumiscope.attribution import Predictor, derive_seed
from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.errors import TargetError, UsageError
from lumiscope.images import Geometry, ImageItem, ImageSet, open_images
from lumiscope.models import TorchModel
from lumiscope.study import ExplainConfig, Explaining, explain
from lumiscope.study.tuning._lime_trials import try_out
from lumiscope.study.tuning.lime_search import CutChoice, LimeSearch, Setting
from lumiscope.study.tuning.lime_tuning import MASKS, NO_MASKS
from lumiscope.study.tuning.tune_lime import tune_lime, tuned_parameters
from lumiscope.trust import Faithfulness, stability
from lumiscope.types import BoolArray

SIZE, CELL = 32, 8
SEARCH = LimeSearch(
    segmenters=("grid:rows=4:columns=4", "slic:n_segments=9"), samples=(40, 80), features=(1, 2), seeds=2
)


class LooksAtOneCell(torch.nn.Module):
    """Two classes; the second one's logit is 8 times the mean red of rows and columns 8 to 16, minus 4."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        red = inputs[:, 0, CELL : 2 * CELL, CELL : 2 * CELL].mean((1, 2))
        return torch.stack([torch.zeros_like(red), 8 * red - 4], dim=1)


def cell(top: int, left: int) -> BoolArray:
    mask = np.zeros((SIZE, SIZE), np.bool_)
    mask[top : top + CELL, left : left + CELL] = True
    return mask


SEEN = cell(CELL, CELL)


@pytest.fixture
def model() -> TorchModel:
    geometry = Geometry((SIZE, SIZE), mode="squash")
    return TorchModel(
        LooksAtOneCell().eval(), geometry, mean=(0.0,) * 3, std=(1.0,) * 3, classes=("dark", "red"), name="one cell"
    )


@pytest.fixture
def cells(tmp_path: Path) -> ImageSet:
    """Three pictures with a red cell where the model looks; the true masks of two of them show it."""
    rows = ["image,mask"]
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 90, (SIZE, SIZE, 3)).astype(np.uint8)
        noise[SEEN] = (240, 20 * number, 30)
        Image.fromarray(noise).save(tmp_path / f"c{number}.png")
        rows.append(f"c{number}.png,{'mask.png' if number < 2 else ''}")
    Image.fromarray(SEEN).save(tmp_path / "mask.png")
    (tmp_path / "cells.csv").write_text("\n".join(rows))
    return open_images(tmp_path / "cells.csv")


def ready(
    model: TorchModel, images: Sequence[ImageItem], target: str | int = "predicted", **options: Any
) -> Explaining:
    # The mean of a cell of one colour hides nothing.
    given = {"num_samples": 80, "num_features": 2, "hide": "blur", **options}
    config = ExplainConfig(methods=["lime"], options={"lime": given}, target=target, backend="eager")
    return Explaining.of(model, images, config, seed=5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"design": "foldover"},
        {"design": "surrogate"},
        {"hide": "noise"},
        {"hide_color": 0},
        {"hide": "blur", "design": "foldover"},
        {"hide": "inpaint", "positive_only": False},
    ],
)
def test_a_trial_has_the_masks_that_lime_itself_makes(
    options: dict[str, Any], tiny: TorchModel, pictures: ImageSet
) -> None:
    given = {"segmenter": "slic", "segmenter_options": {"n_segments": 12}, "min_weight": 1e-4, **options}
    prepared, (target,) = ready(tiny, pictures[:1]).plan.prepare([pictures[0]])
    (trial,) = try_out(prepared, target, LimeOptions(num_samples=90, **given), [11])
    for num_samples, num_features in itertools.product((20, 55, 90), (1, 3, 7)):
        numbers = {"num_samples": num_samples, "num_features": num_features, "random_seed": 11}
        (saliency,) = explain(
            tiny, pictures[:1], methods="lime", options={"lime": {**given, **numbers}}, backend="eager"
        )
        np.testing.assert_array_equal(trial.mask(num_samples, num_features), make_mask(saliency, "lime"))


def test_the_model_is_asked_once_for_each_segmenter_seed_and_sample(
    model: TorchModel, cells: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    before = Predictor.masked_logits

    def counted(self: Predictor, pixels: Any, hidden: Any, masks: Any, count: int, keep: Any) -> Any:
        asked.append(count)
        return before(self, pixels, hidden, masks, count, keep)

    monkeypatch.setattr(Predictor, "masked_logits", counted)
    tuning = tune_lime(ready(model, cells[:1]), SEARCH, stop=True)
    assert asked == [80] * 3 * 2, "three segmenters (that of the options is one), two seeds"
    assert len(tuning.scores) == 3 * 2 * 2


def test_it_finds_the_cell_that_is_known_to_matter(model: TorchModel, cells: ImageSet) -> None:
    tuning = tune_lime(ready(model, cells), SEARCH, stop=True)
    for image in ("c0", "c1"):
        best = tuning.best(image)
        assert best.setting == Setting(CutChoice("grid", {"rows": 4, "columns": 4}), 40, 1), "as cheap as it can be"
        assert (best.tuned_for, best.iou, best.stability, best.area) == (MASKS, 1, 1, 1 / 16)
        assert best.chance == pytest.approx(1 / 31)
        assert best.ceiling == 1
        assert math.isnan(best.faithfulness)
    alone = tuning.best("c2")
    assert (str(alone.setting.cut), alone.setting.num_features) == ("grid:rows=4:columns=4", 1)
    assert alone.faithfulness == pytest.approx(15 / 16, abs=1e-6), "all depends on one sixteenth of the view"
    assert alone.quality == pytest.approx(math.sqrt(15 / 16), abs=1e-6)
    assert math.isnan(alone.iou)
    assert tuning.groups == {MASKS: ["c0", "c1"], NO_MASKS: ["c2"]}


def test_what_is_saved_gives_the_masks_that_were_scored(model: TorchModel, cells: ImageSet) -> None:
    explaining = ready(model, cells)
    tuning = tune_lime(explaining, SEARCH, stop=True)
    saved = tuned_parameters(explaining.plan, cells, tuning)
    assert list(saved) == ["c0", "c1", "c2"]
    assert {options.hide for options in saved.values()} == {"blur"}
    image_options = {name: {"lime": dataclasses.asdict(options)} for name, options in saved.items()}
    for saliency in explain(model, cells, methods="lime", per_image=image_options, backend="eager"):
        np.testing.assert_array_equal(make_mask(saliency, "lime"), SEEN)
        assert saliency.options["random_seed"] == derive_seed(5, saliency.item_id, "lime")
    alike = tuned_parameters(explaining.plan, cells, tuning, one_for_all=True)
    assert dataclasses.replace(alike["c0"], random_seed=alike["c1"].random_seed) == alike["c1"]


def test_options_that_are_not_searched_hold_and_those_that_cannot_be_are_refused(
    model: TorchModel, cells: ImageSet
) -> None:
    explaining = ready(model, cells[:1], random_seed=3)
    tuning = tune_lime(explaining, SEARCH, stop=True)
    assert str(tuning.base) == "quickshift, 80 samples, 2 features"
    assert tuning.usual("c0").quality < tuning.best("c0").quality
    assert tuned_parameters(explaining.plan, cells[:1], tuning)["c0"].random_seed == 3
    with pytest.raises(UsageError, match="auto"):
        tune_lime(ready(model, cells, num_samples="auto"), SEARCH)
    both = ExplainConfig(methods=["lime", "rise"], backend="eager")
    with pytest.raises(UsageError, match="lime alone"):
        tune_lime(Explaining.of(model, cells, both), SEARCH)


def test_an_image_that_cannot_be_tuned_is_named_and_takes_nothing_from_the_others(
    model: TorchModel, cells: ImageSet
) -> None:
    order = [cells[2], cells[0], cells[1]]
    tuning = tune_lime(ready(model, order, "dark"), SEARCH)
    assert [entry.name for entry in tuning.failed] == ["c2.png"]
    assert "dark to become less probable" in tuning.failed[0].reason
    assert {image: len(scores) for image, scores in tuning.by_image.items()} == {"c0": 12, "c1": 12}
    with pytest.raises(TargetError):
        tune_lime(ready(model, order, "dark"), SEARCH, stop=True)


def test_a_mask_of_another_class_than_the_one_explained_is_said(
    model: TorchModel, tmp_path: Path, cells: ImageSet
) -> None:
    (tmp_path / "l.csv").write_text("image,mask,class_name\nc0.png,mask.png,dark\nc1.png,mask.png,red\n")
    tuning = tune_lime(ready(model, open_images(tmp_path / "l.csv")), SEARCH)
    assert tuning.notes == ("c0: its mask shows dark, the class explained is red",)


def test_faithfulness_by_hand(model: TorchModel, cells: ImageSet) -> None:
    prepared, (target,) = ready(model, cells[:1]).plan.prepare([cells[0]])
    judge = Faithfulness(prepared, target)
    nothing, everything, elsewhere = np.zeros_like(SEEN), np.ones_like(SEEN), cell(16, 16)
    half = SEEN.copy()
    half[: CELL + CELL // 2] = False
    view, mean = prepared.views[0].pixels / 255.0, prepared.views[0].pixels.mean((0, 1)).round()[0] / 255
    logits = {"whole": view[SEEN][:, 0].mean(), "nothing": mean, "half": (view[half][:, 0].mean() + mean) / 2}
    p = {name: 1 / (1 + math.exp(4 - 8 * red)) for name, red in logits.items()}
    drop = p["whole"] - p["nothing"]
    lost, kept = (p["whole"] - p["half"]) / drop, (p["half"] - p["nothing"]) / drop
    expected = [0, 0, 15 / 16, -1 / 16, (lost + kept) / 2 - 1 / 32]
    assert judge.of([nothing, everything, SEEN, elsewhere, half]) == pytest.approx(expected, abs=1e-5)


def test_faithfulness_is_never_above_one_less_the_area(tiny: TorchModel, pictures: ImageSet) -> None:
    generator = np.random.default_rng(0)
    masks = [np.kron(generator.random((4, 4)) < 0.4, np.ones((8, 8))).astype(np.bool_) for _ in range(30)]
    for item in pictures:
        prepared, (target,) = ready(tiny, [item]).plan.prepare([item])
        try:
            judged = Faithfulness(prepared, target).of(masks)
        except TargetError:
            continue
        assert all(faithfulness <= 1 - mask.mean() + 1e-9 for faithfulness, mask in zip(judged, masks, strict=True))


def test_stability_by_hand() -> None:
    empty, other = np.zeros_like(SEEN), cell(0, 0)
    assert stability([SEEN, SEEN, SEEN]) == 1
    chance = 1 / 31
    assert stability([SEEN, other]) == pytest.approx(-chance / (1 - chance))
    assert stability([SEEN, SEEN, other]) == pytest.approx((1 - 2 * chance / (1 - chance)) / 3)
    assert stability([empty, empty]) == stability([~empty, ~empty]) == stability([SEEN, empty]) == 0
    assert math.isnan(stability([SEEN]))
