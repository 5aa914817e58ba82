"""Dissection of a real classifier with real pictures, where they lie beside the project: against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dissection.reference  # noqa: F401 - registers the references
from lumiscope.dissection import SIMILARITIES, choose_similarity, label_units
from lumiscope.runs import Reason
from lumiscope.testing import SIMILARITY_REFERENCES

SHARED = Path(__file__).parents[2] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real pictures (../shared/data) are not here"),
]
# Final units and concepts that plain loops compare in a second or two; all 3,000 where they can.
COMPARED = {
    "auroc": (2, 3),
    "average_precision": (2, 8),
    "cos": (2, 1000),
    "cos_cubed": (4, 3000),
    "f1": (2, 8),
    "iou": (2, 8),
    "pearson": (2, 400),
    "rank_reorder": (4, 80),
    "soft_wpmi": (4, 3000),
    "wpmi": (2, 3000),
}


@pytest.fixture(scope="module")
def comparison(load_module: Callable[[str, str], ModuleType]) -> ModuleType:
    return load_module("comparison_of_similarities", "../benchmarks/similarities.py")


@pytest.fixture(scope="module")
def pictures(comparison: ModuleType) -> object:
    return comparison.real_pictures(SHARED)


def test_the_classifier_knows_the_pictures(pictures: object) -> None:
    assert np.mean(pictures.logits.argmax(axis=1) == np.arange(1000)) == pytest.approx(0.869, abs=0.003)
    assert pictures.scores.shape == (1000, 3000)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_labels_equal_those_of_plain_loops(pictures: object, similarity: str) -> None:
    num_units, num_concepts = COMPARED[similarity]
    generator = np.random.default_rng(1)
    units = generator.choice(1000, num_units, replace=False)
    concepts = np.sort(generator.choice(3000, num_concepts, replace=False))
    activations = np.ascontiguousarray(pictures.logits[:, units])
    scores = np.ascontiguousarray(pictures.scores[:, concepts])
    labels = label_units(activations, scores, model="m", layer="classifier", similarity=similarity, options=None)
    expected = SIMILARITY_REFERENCES[similarity](activations.astype(np.float64), scores.astype(np.float64))
    expected = np.where(np.isfinite(expected), expected, -np.inf)
    order = np.argsort(-expected, axis=1, kind="stable")
    rows = np.arange(len(units))
    np.testing.assert_allclose(labels.score, expected[rows, order[:, 0]], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(labels.margin, expected[rows, order[:, 0]] - expected[rows, order[:, 1]], atol=1e-4)
    # Where two concepts score alike to the last digits either may come first.
    chosen = expected[rows, labels.concept]
    np.testing.assert_allclose(chosen, expected[rows, order[:, 0]], rtol=1e-6, atol=1e-9)


def test_small_probing_sets_need_the_cubed_cosine(pictures: object) -> None:
    """One picture a class: how many final units get the word nearest to their class (docs/dissection.md)."""
    everything = np.arange(1000)
    shares = {name: pictures.share_right(name, everything) for name in ("cos", "cos_cubed", "soft_wpmi", "wpmi")}
    assert shares["cos_cubed"] == pytest.approx(0.45, abs=0.03)
    assert shares["soft_wpmi"] == pytest.approx(0.24, abs=0.03)
    assert shares["wpmi"] == pytest.approx(0.21, abs=0.03)
    assert shares["cos"] == pytest.approx(0.13, abs=0.03)
    few = np.random.default_rng(0).choice(1000, 100, replace=False)
    rivals = max(pictures.share_right(name, few) for name in ("soft_wpmi", "wpmi"))
    assert pictures.share_right("cos_cubed", few) > 1.4 * rivals


def test_the_automatic_choice_is_the_best_one_there_is(pictures: object) -> None:
    assert choose_similarity(pictures.scores, class_units=True)[0] == "cos_cubed"
    assert choose_similarity(pictures.scores[:100], class_units=True)[0] == "cos_cubed"


def test_one_picture_a_class_supports_few_labels(pictures: object) -> None:
    """Most units stay without a label, and those that get one are right no less often than the best words of all."""
    units = np.arange(0, 1000, 10)
    activations = np.ascontiguousarray(pictures.logits[:, units])
    for similarity in ("cos_cubed", "pearson"):
        labels = label_units(activations, pictures.scores, model="m", layer="classifier", similarity=similarity)
        labelled = labels.concept >= 0
        first = pictures.nearest[units, labels.best[:, 0]]
        assert 5 <= labelled.sum() <= 60
        assert first.mean() >= 0.2, "best words are told whatever the evidence says"
        chance = np.sqrt(first.mean() * (1 - first.mean()) / max(labelled.sum(), 1))
        assert not labelled.any() or first[labelled].mean() >= first.mean() - chance, "of 9 and 16 units here"
        assert {no_label.reason for no_label in labels.reason if no_label} <= {Reason.NOT_SIGNIFICANT, Reason.UNSTABLE}
