"""A label that only says how bright a picture is does not survive; one that says more does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lumiscope.dissection import beyond_low_level, label_units
from lumiscope.dissection.evidence.held_out import parts
from lumiscope.dissection.evidence.image_groups import ImageGroups


@pytest.fixture(scope="module")
def planted():
    """Units 0 and 1 follow brightness, of which concept 0 is an image; unit 2 follows concept 1, unit 3 nothing."""
    random = np.random.default_rng(0)
    brightness, own = random.standard_normal((2, 300))
    scores = np.column_stack([brightness + 0.3 * random.standard_normal(300), own, random.standard_normal(300)])
    noise = random.standard_normal((300, 4))
    activations = np.column_stack([brightness, brightness, own, 0 * own]) + 0.5 * noise
    features = np.column_stack([brightness, np.ones(300), brightness])
    labels = label_units(activations, scores, model="m", layer="l", similarity="pearson", seed=3)
    assert labels.concept.tolist() == [0, 0, 1, -1]
    return labels, activations, scores, features


def test_what_brightness_explains_does_not_survive(planted) -> None:
    beyond = beyond_low_level(*planted, seed=3)
    assert (beyond.correlation[:3] > 0.7).all()
    assert (np.abs(beyond.partial[:2]) < 0.25).all()
    assert (beyond.q_value[:2] > 0.05).all()
    assert beyond.partial[2] > 0.7
    assert beyond.q_value[2] < 1e-6
    assert np.isnan([beyond.correlation[3], beyond.partial[3], beyond.p_value[3], beyond.q_value[3]]).all()


def test_the_partial_correlation_is_that_of_residuals_on_the_images_that_estimate(planted) -> None:
    labels, activations, scores, features = planted
    _, images = parts(ImageGroups.single(300), 3)
    design = np.column_stack([features[images, 0], np.ones(len(images))])
    left = [
        column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
        for column in (activations[images, 2], scores[images, 1])
    ]
    beyond = beyond_low_level(labels, activations, scores, features, seed=3)
    assert beyond.partial[2] == pytest.approx(np.corrcoef(left)[0, 1], abs=1e-9)


def test_few_images_cannot_tell(planted) -> None:
    """100 images estimate; two for each of 51 features are 102."""
    labels, activations, scores, _ = planted
    many = np.random.default_rng(1).standard_normal((300, 51))
    assert np.isnan(beyond_low_level(labels, activations, scores, many, seed=3).p_value).all()
    assert not np.isnan(beyond_low_level(labels, activations, scores, many[:, :50], seed=3).p_value[2])


def test_units_whose_neighbours_are_alike_count_an_image_a_block(planted) -> None:
    labels, activations, scores, features = planted
    blocks = dataclasses.replace(labels, blocks=np.array([1, 1, 20, 1]))
    assert np.isnan(beyond_low_level(blocks, activations, scores, features, seed=3).p_value[2]), "5 are left"
