"""What "auto" means: the rule, on scores of which it is known how many images show a concept."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection import SIMILARITIES, choose_similarity


def scores_with(shown: int, concepts: int = 8, images: int = 400) -> np.ndarray:
    """Each concept scores about 0.8 on `shown` images of its own, about 0.2 on the others."""
    generator = np.random.default_rng(0)
    scores = generator.normal(0.2, 0.01, (images, concepts))
    for concept in range(concepts):
        scores[generator.choice(images, shown, replace=False), concept] += 0.6
    return scores.astype(np.float32)


@pytest.mark.parametrize(("shown", "name"), [(27, "cos_cubed"), (28, "wpmi"), (1, "cos_cubed"), (100, "wpmi")])
def test_scores_need_as_many_images_of_a_concept_as_wpmi_looks_at(shown: int, name: str) -> None:
    chosen, why = choose_similarity(scores_with(shown), class_units=True)
    assert chosen == name
    assert f"stand out on {shown} or more of the 400 probing images" in why


def test_one_rare_concept_in_four_does_not_count() -> None:
    scores = np.concatenate([scores_with(2, 1), scores_with(50, 4)], axis=1)
    assert choose_similarity(scores, class_units=True)[0] == "wpmi"
    assert choose_similarity(np.concatenate([scores, scores_with(2, 1)], axis=1), class_units=True)[0] == "cos_cubed"


def test_annotations_are_correlated() -> None:
    presence = (np.random.default_rng(0).random((50, 300)) < 0.3).astype(np.float32)
    assert choose_similarity(presence, class_units=True)[0] == "pearson"
    presence[7, 299] = 0.5
    assert choose_similarity(presence, class_units=True)[0] != "pearson", "shares of an image are scores"


def test_noise_does_not_stand_out() -> None:
    assert choose_similarity(np.random.default_rng(0).normal(size=(2000, 100)), class_units=True)[0] == "cos_cubed"


def test_one_image_is_few() -> None:
    assert choose_similarity(np.random.default_rng(0).random((1, 5)), class_units=True)[0] == "cos_cubed"


def test_every_choice_is_a_similarity() -> None:
    chosen = {choose_similarity(scores, class_units=True)[0] for scores in (scores_with(5), scores_with(50), np.eye(3))}
    assert len(chosen) == 3
    assert chosen <= set(SIMILARITIES)


@pytest.mark.parametrize("shown", [1, 100])
def test_inner_units_are_named_by_the_cubed_cosine_however_many_images_a_concept_has(shown: int) -> None:
    name, why = choose_similarity(scores_with(shown), class_units=False)
    assert name == "cos_cubed"
    assert "inner layers" in why
    assert choose_similarity(np.eye(3), class_units=False)[0] == "pearson"
