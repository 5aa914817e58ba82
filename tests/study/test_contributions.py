"""The table `contributions`, against weights times means; the layer it takes; and the store."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from lumiscope.dissection import UnitLabels, unit_rows
from lumiscope.errors import UsageError
from lumiscope.images import Geometry, ImageItem, ImageSet
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.runs import ContributionRow, ImageRow, UnitRow
from lumiscope.store import Store
from lumiscope.study import DissectConfig, ExplainConfig, RunConfig, explain
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stage import Tables, run_stage
from lumiscope.study.stages import contributions as module
from lumiscope.testing import fake_row

WORDS = ("orange", "fin", "grass")
Contribute = Callable[..., list[ContributionRow]]


@pytest.fixture
def contribute(unit_labels: ModuleType) -> Contribute:
    """The rows that the stage writes for layers whose units have these labels, -1 for none."""

    def rows(
        model: TorchModel,
        images: ImageSet,
        layers: dict[str, list[int]],
        *,
        target: str = "predicted",
        store: Store | None = None,
    ) -> list[ContributionRow]:
        labels = tuple(unit_labels.layer_labels("tiny", name, concepts) for name, concepts in layers.items())
        study = OpenStudy(
            run=RunConfig(),
            explain=ExplainConfig(target=target),
            dissect=DissectConfig(layers=list(layers)),
            models={"tiny": model},
            images=images,
            memo=Memo(store),
        )
        tables = Tables()
        tables.write(ImageRow, [fake_row(ImageRow, image=item.id) for item in images])
        tables.write(UnitRow, unit_rows(UnitLabels(labels, WORDS, ("colour", "part", "texture"), ("p0",), "cos")))
        run_stage("contributions", study, tables)
        return list(tables.rows(ContributionRow))

    return rows


def by_hand(model: TorchModel, item: ImageItem) -> tuple[np.ndarray, float, int]:
    """(U,) weight times mean activation of the predicted class, its bias, and the class."""
    network = model.module.double()
    with torch.no_grad():
        features = network[:4](model.inputs([model.view(item)]).double())[0]
        scores = network[4](features)
        network.float()
    best = int(scores.argmax())
    return (network[4].weight[best] * features).detach().numpy(), float(network[4].bias[best].detach()), best


def test_rows_are_weights_times_means(tiny: TorchModel, pictures: ImageSet, contribute: Contribute) -> None:
    rows = contribute(tiny, pictures, {"0": [0] * 6, "1": [0, -1, 1, -1, 2, 0]})
    assert len(rows) == 6 * len(pictures)
    for number, item in enumerate(pictures):
        contributions, bias, target = by_hand(tiny, item)
        image_rows = rows[6 * number : 6 * number + 6]
        order = np.argsort(-np.abs(contributions))
        assert [row.unit for row in image_rows] == order.tolist()
        assert [row.rank for row in image_rows] == [1, 2, 3, 4, 5, 6]
        assert [row.label for row in image_rows] == [
            ["orange", None, "fin", None, "grass", "orange"][unit] for unit in order
        ]
        np.testing.assert_allclose([row.contribution for row in image_rows], contributions[order], rtol=1e-4, atol=1e-6)
        shares = (contributions / contributions.sum())[order]
        np.testing.assert_allclose([row.share for row in image_rows], shares, rtol=1e-3, atol=1e-6)
        first = image_rows[0]
        assert (first.model, first.image, first.layer, first.steps) == ("tiny", item.id, "1", 0)
        assert first.score == pytest.approx(float(tiny.predict([tiny.view(item)])[0][target]), rel=1e-4)
        assert first.baseline_score == pytest.approx(bias, rel=1e-4)
        assert first.score == pytest.approx(bias + contributions.sum(), rel=1e-4)
        assert first.total == pytest.approx(contributions.sum(), rel=1e-4)
        assert first.labelled_total == pytest.approx(contributions[[0, 2, 4, 5]].sum(), rel=1e-3, abs=1e-5)
        assert first.completeness_error < 1e-4


def test_only_the_largest_are_kept(
    tiny: TorchModel, pictures: ImageSet, contribute: Contribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = contribute(tiny, pictures, {"1": [0] * 6})
    few = functools.partial(module.contribution_rows, top=4)
    monkeypatch.setattr(module, "contribution_rows", few)
    assert contribute(tiny, pictures, {"1": [0] * 6}) == [row for row in everything if row.rank <= 4]


def test_the_last_layer_that_is_not_the_scores(tiny: TorchModel, pictures: ImageSet, contribute: Contribute) -> None:
    def layers_of(layers: dict[str, list[int]]) -> set[str]:
        return {row.layer for row in contribute(tiny, pictures[:1], layers)}

    none, some = [-1] * 6, [0, *[-1] * 5]
    assert layers_of({"0": some, "1": none, "4": [0] * 4}) == {"1"}, "with labels or without; 4 is the scores"
    assert layers_of({"1": none, "0": none}) == {"1"}, "the last in the network, in whatever order they were labelled"
    assert layers_of({"4": [0] * 4}) == layers_of({}) == set()


def test_a_target_and_the_store(
    tiny: TorchModel,
    pictures: ImageSet,
    contribute: Contribute,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    first = contribute(tiny, pictures, {"1": [0] * 6}, target="fish", store=store)
    assert {row.label for row in first} == {"orange"}
    scores = tiny.predict([tiny.view(item) for item in pictures])[:, 2]
    assert {row.image: row.score for row in first} == pytest.approx(
        {item.id: float(score) for item, score in zip(pictures, scores, strict=True)}, rel=1e-4
    )
    computed_again = functools.wraps(module.unit_contributions)(lambda *_, **__: pytest.fail("computed again"))
    monkeypatch.setattr(module, "unit_contributions", computed_again)
    assert contribute(tiny, pictures, {"1": [0] * 6}, target="fish", store=store) == first
    other = contribute(tiny, pictures, {"1": [1] * 6}, target="fish", store=store)
    assert {row.label for row in other} == {"fin"}, "labels are no part of what is stored"


def test_other_weights_do_not_reuse_the_store(
    tiny: TorchModel, pictures: ImageSet, contribute: Contribute, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    first = contribute(tiny, pictures, {"1": [0] * 6}, target="fish", store=store)
    tiny.module[4].weight.data.mul_(2)
    changed = TorchModel(
        tiny.module, Geometry((32, 32), mode="squash"), mean=tiny.mean, std=tiny.std, classes=tiny.classes, name="tiny"
    )
    second = contribute(changed, pictures, {"1": [0] * 6}, target="fish", store=store)
    doubled = [2 * row.contribution for row in first]
    np.testing.assert_allclose([row.contribution for row in second], doubled, rtol=1e-4, atol=1e-6)


def test_explain_a_unit(tiny: TorchModel, pictures: ImageSet) -> None:
    maps = explain(tiny, pictures[:2], methods=["gradcam", "saliency"], unit="1:3")
    assert [saliency.target.name for saliency in maps] == ["1:3"] * 4
    assert all(saliency.layer in ("1", None) for saliency in maps)
    assert all(np.isnan(saliency.target.probability) for saliency in maps)
    with torch.no_grad():
        expected = tiny.module[:2](tiny.inputs([tiny.view(pictures[0])])).mean((2, 3))[0, 3]
    assert maps[0].target.logit == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(UsageError, match="a unit or a target"):
        explain(tiny, pictures[:1], methods="gradcam", unit="1:3", target="fish")
    with pytest.raises(UsageError, match="from 0 to 5"):
        explain(tiny, pictures[:1], methods="gradcam", unit="1:6")
