"""The table `contributions`, against weights times means; the layer it takes; the store; and how it is told."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from lumiscope.study.account import accounts_of
from lumiscope.study.contributions import CONTRIBUTION_SCHEMA, contribution_table
from lumiscope.study.schemas import SCHEMAS

from lumiscope.errors import UsageError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import contributions as module_under_test
from lumiscope.study.explain import explain
from lumiscope.types import UnitLabels

WORDS = ("orange", "fin", "grass")


@pytest.fixture
def labels_of(unit_labels):
    def make(*layers):
        made = tuple(unit_labels.layer_labels("tiny", name, concepts) for name, concepts in layers)
        return UnitLabels(made, WORDS, ("colour", "part", "texture"), ("p0",), "cos")

    return make


def by_hand(model, item):
    """(U,) weight times mean activation of the predicted class, its bias, and the class."""
    module = model.module.double()
    with torch.no_grad():
        features = module[:4](model.inputs([model.view(item)]).double())[0]
        scores = module[4](features)
        module.float()
    best = int(scores.argmax())
    return (module[4].weight[best] * features).detach().numpy(), float(module[4].bias[best]), best


def test_rows_are_weights_times_means(tiny, pictures, labels_of):
    labels = labels_of(("0", [0] * 6), ("1", [0, -1, 1, -1, 2, 0]))
    rows = contribution_table([tiny], pictures, labels, top=4).to_pylist()
    assert len(rows) == 4 * len(pictures)
    for number, item in enumerate(pictures):
        contributions, bias, target = by_hand(tiny, item)
        own = rows[4 * number : 4 * number + 4]
        order = np.argsort(-np.abs(contributions))[:4]
        assert [row["unit"] for row in own] == order.tolist()
        assert [row["rank"] for row in own] == [1, 2, 3, 4]
        assert [row["label"] for row in own] == [
            ["orange", None, "fin", None, "grass", "orange"][unit] for unit in order
        ]
        np.testing.assert_allclose([row["contribution"] for row in own], contributions[order], rtol=1e-4)
        np.testing.assert_allclose(
            [row["share"] for row in own], (contributions / contributions.sum())[order], rtol=1e-3
        )
        first = own[0]
        assert (first["model"], first["image"], first["layer"], first["steps"]) == ("tiny", item.id, "1", 0)
        assert first["target_index"] == target
        assert first["baseline_score"] == pytest.approx(bias, rel=1e-4)
        assert first["score"] == pytest.approx(bias + contributions.sum(), rel=1e-4)
        assert first["total"] == pytest.approx(contributions.sum(), rel=1e-4)
        assert first["labelled_total"] == pytest.approx(contributions[[0, 2, 4, 5]].sum(), rel=1e-3, abs=1e-5)
        assert first["completeness_error"] < 1e-4


def test_the_last_layer_that_is_not_the_scores(tiny, pictures, labels_of):
    def layer_of(*layers):
        table = contribution_table([tiny], pictures[:1], labels_of(*layers))
        return set(table["layer"].to_pylist())

    none, some = [-1] * 6, [0, *[-1] * 5]
    assert layer_of(("0", some), ("1", none), ("4", [0] * 4)) == {"1"}, "with labels or without; 4 is the scores"
    assert layer_of(("1", none), ("0", none)) == {"1"}, "the last in the network, in whatever order they were labelled"
    assert layer_of(("4", [0] * 4)) == set()
    assert contribution_table([tiny], pictures[:1], labels_of()).schema == CONTRIBUTION_SCHEMA


def test_a_target_and_the_store(tiny, pictures, labels_of, tmp_path, monkeypatch):
    store, labels = Store(tmp_path), labels_of(("1", [0] * 6))
    first = contribution_table([tiny], pictures, labels, target="fish", store=store)
    assert set(first["target_index"].to_pylist()) == {2}
    assert set(first["target_short_name"].to_pylist()) == {"fish"}
    monkeypatch.setattr(module_under_test, "unit_contributions", lambda *_, **__: pytest.fail("computed again"))
    assert contribution_table([tiny], pictures, labels, target="fish", store=store).equals(first)
    other = contribution_table([tiny], pictures, labels_of(("1", [1] * 6)), target="fish", store=store)
    assert set(other["label"].to_pylist()) == {"fin"}, "labels are no part of what is stored"


def test_other_weights_do_not_reuse_the_store(tiny, pictures, labels_of, tmp_path):
    store, labels = Store(tmp_path), labels_of(("1", [0] * 6))
    first = contribution_table([tiny], pictures, labels, target="fish", store=store)
    tiny.module[4].weight.data.mul_(2)
    changed = TorchModel(
        tiny.module, Geometry((32, 32), mode="squash"), mean=tiny.mean, std=tiny.std, classes=tiny.classes, name="tiny"
    )
    second = contribution_table([changed], pictures, labels, target="fish", store=store)
    np.testing.assert_allclose(
        second["contribution"].to_numpy(), 2 * first["contribution"].to_numpy(), rtol=1e-4, atol=1e-6
    )


def a_run(rows, predictions):
    tables = {
        "contributions": pa.Table.from_pylist(rows, schema=SCHEMAS["contributions"]),
        "predictions": pa.Table.from_pylist(predictions, schema=SCHEMAS["predictions"]),
    }
    return SimpleNamespace(table=tables.__getitem__)


def row(rank, unit, label, contribution, **changes):
    common = {
        "model": "m", "image": "goldfish", "layer": "layer4", "target_short_name": "goldfish", "score": 11.0,
        "baseline_score": 1.0, "total": 9.98, "labelled_total": 6.0, "completeness_error": 0.002,
    }  # fmt: skip
    own = {"rank": rank, "unit": unit, "label": label, "contribution": contribution, "share": contribution / 10}
    return {**common, **own, **changes}


def test_the_sentence():
    prediction = {"model": "m", "image": "goldfish", "rank": 1, "short_name": "goldfish", "probability": 0.93}
    rows = [row(1, 12, "orange", 3.1), row(2, 99, "fin", 2.2), row(3, 7, None, -0.5)]
    (account,) = accounts_of(a_run(rows, [prediction]))
    assert account.text() == (
        "goldfish (predicted goldfish, 0.93): orange 0.31 (layer4:12), fin 0.22 (layer4:99), layer4:7 -0.05; these 3 "
        "units are 48% of what the layer adds to the score, those with a label 60%, all units together 99.8%"
    )
    assert (
        account.shown(1)
        .text()
        .startswith("goldfish (predicted goldfish, 0.93): orange 0.31 (layer4:12); this unit is 31%")
    )
    other = dataclasses.replace(account, target="carp")
    assert other.text().startswith("goldfish (why carp; predicted goldfish, 0.93): orange")


def test_a_unit_without_evidence_is_told_by_what_it_is_like():
    (account,) = accounts_of(a_run([row(1, 7, None, 3.1, nearest="carp"), row(2, 8, None, 0.1)], []))
    assert "carp? 0.31 (layer4:7), layer4:8 0.01;" in account.text()
    assert account.text().endswith("; a word with ? is only the nearest: the evidence for it does not suffice")


def test_a_share_that_rounds_to_nothing_has_no_sign():
    (account,) = accounts_of(a_run([row(1, 12, "orange", -0.01, labelled_total=-0.01)], []))
    assert "orange 0.00 (layer4:12); this unit is 0% of what the layer adds to the score" in account.text()


def test_an_account_that_is_incomplete_or_undefined_says_so():
    (rough,) = accounts_of(a_run([row(1, 12, "orange", 3.1, completeness_error=0.2)], []))
    assert rough.text().endswith("(the sum misses 20.0% of it: trust the order alone)")
    nothing = {"completeness_error": float("nan"), "share": float("nan"), "baseline_score": 11.0}
    (empty,) = accounts_of(a_run([row(1, 12, "orange", 0.0, **nothing)], []))
    assert empty.text() == "goldfish (why goldfish): the score does not depend on layer4"
    assert accounts_of(a_run([], [])) == []


def test_explain_a_unit(tiny, pictures):
    maps = explain(tiny, pictures[:2], methods=["gradcam", "saliency"], unit="1:3")
    assert [one.target.name for one in maps] == ["1:3"] * 4
    assert all(one.layer in ("1", None) for one in maps)
    assert all(np.isnan(one.target.probability) for one in maps)
    with torch.no_grad():
        expected = tiny.module[:2](tiny.inputs([tiny.view(pictures[0])])).mean((2, 3))[0, 3]
    assert maps[0].target.logit == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(UsageError, match="a unit or a target"):
        explain(tiny, pictures[:1], methods="gradcam", unit="1:3", target="fish")
    with pytest.raises(UsageError, match="from 0 to 5"):
        explain(tiny, pictures[:1], methods="gradcam", unit="1:6")
