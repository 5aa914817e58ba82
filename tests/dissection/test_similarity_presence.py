"""The similarities that take units as detectors: against scikit-learn, and what their definitions imply."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from lumiscope.columns import ColumnFile
from lumiscope.dissection import SIMILARITIES, choose_similarity
from lumiscope.dissection.similarity.preparation import presence

DETECTORS = ["auroc", "average_precision", "f1", "iou"]


def best_f1(present, activation):
    precision, recall, _ = precision_recall_curve(present, activation)
    return max(2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True) if p + r)


def best_iou(present, activation):
    return max((present & (activation >= t)).sum() / (present | (activation >= t)).sum() for t in set(activation))


PEERS = {"auroc": roc_auc_score, "average_precision": average_precision_score, "f1": best_f1, "iou": best_iou}


def annotated_case(num_images, seed):
    """Annotations of frequency .5 to .01, and units that fire for the first of them, as ReLUs and with few values."""
    generator = np.random.default_rng([num_images, seed])
    present = generator.random((num_images, 5)) < [0.5, 0.2, 0.06, 0.02, 0.01]
    present[:2] = [[True], [False]]
    noise = generator.standard_normal((num_images, 6))
    noise[:, :5] += 2 * present
    return np.stack([noise, np.maximum(noise, 0), np.round(noise)], axis=1).reshape(num_images, -1), present


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("num_images", [40, 700])
def test_annotations_score_as_scikit_learn_has_it(name, num_images):
    activations, present = annotated_case(num_images, 0)
    wanted = [[PEERS[name](column, activation) for column in present.T] for activation in activations.T]
    got = SIMILARITIES[name](activations, present.astype(np.float32))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_rare_annotation_scores_as_the_same_presence_made_soft(name):
    """1 for all but a hair: the way of rare annotations and that of soft presence meet."""
    activations, present = annotated_case(900, 1)
    soft = np.where(present, 1 - 1e-9, 0)
    method = SIMILARITIES[name]
    np.testing.assert_allclose(method(activations, soft), method(activations, present * 1.0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DETECTORS)
def test_only_the_order_of_activations_counts(name):
    activations, present = annotated_case(300, 2)
    method = SIMILARITIES[name]
    np.testing.assert_array_equal(method(np.arctan(activations), present * 1.0), method(activations, present * 1.0))


@pytest.mark.parametrize("name", DETECTORS)
def test_a_perfect_detector_scores_one(name):
    _, present = annotated_case(300, 3)
    np.testing.assert_allclose(np.diag(SIMILARITIES[name](present * 7.0, present * 1.0)), 1)


@pytest.mark.parametrize("name", [*DETECTORS, "pearson"])
def test_a_constant_concept_is_undefined_and_spoils_no_other(name):
    activations, present = annotated_case(300, 4)
    scores = present.astype(float)
    method = SIMILARITIES[name]
    alone = method(activations, scores)
    for value in (0.0, 0.3, 1.0, -7.1):
        got = method(activations, np.insert(scores, 2, value, axis=1))
        assert np.isnan(got[:, 2]).all()
        np.testing.assert_allclose(np.delete(got, 2, axis=1), alone, rtol=0, atol=1e-12)


def test_a_unit_that_knows_nothing_scores_as_chance():
    """All images tie: one threshold, passed by all. S / D = .25, so F1 = 2·.25 / 1.25, IoU and precision .25."""
    scores = np.repeat([1.0, 0.0], [25, 75])[:, np.newaxis]
    wanted = {"auroc": 0.5, "average_precision": 0.25, "f1": 0.4, "iou": 0.25}
    for name, value in wanted.items():
        np.testing.assert_allclose(SIMILARITIES[name](np.ones((100, 1)), scores), value, rtol=1e-6)
    assert np.isnan(SIMILARITIES["pearson"](np.ones((100, 1)) / 3, scores)).all()


def test_f1_keeps_its_digits_over_many_soft_images():
    """Presence .1 on 60,000 images and 1 on one: sums in float32 alone would drift by a thousandth."""
    scores = np.full((60_001, 2), 0.1)
    scores[0], scores[-1] = 1, 0
    activations = np.arange(60_001.0)[::-1, np.newaxis]
    total = scores[:, 0].sum()
    counts = np.arange(1, 60_002)
    wanted = (2 * np.cumsum(scores[:, 0]) / (counts + total)).max()
    np.testing.assert_allclose(SIMILARITIES["f1"](activations, scores), wanted, rtol=1e-6)


def test_presence_is_what_lies_in_the_unit_interval_and_else_scaled():
    scores = np.array([[0.2, -1.0, 3.0], [0.9, 1.0, 5.0], [0.5, 0.0, 4.0]])
    np.testing.assert_allclose(presence(scores), [[0.2, 0, 0], [0.9, 1, 1], [0.5, 0.5, 0.5]])


def test_auto_goes_by_what_the_scores_are():
    """Scores 0 to 1 in equal steps: a sixth of the images is above 2/3 of the way from mean to maximum."""
    soft = np.linspace(0, 1, 3000)[:, np.newaxis]
    few = soft[::30]
    assert choose_similarity((soft > 0.5) * 1.0, class_units=True)[0] == "pearson"
    assert choose_similarity(few, class_units=True)[0] == "cos_cubed"
    assert choose_similarity(ColumnFile.from_rows([soft.astype(np.float32)], 3000, 1), class_units=True)[0] == "wpmi"
    name, why = choose_similarity(few, class_units=True)
    assert name in why
    assert "100 probing images" in why
