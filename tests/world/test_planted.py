"""Planted units: what they are said to respond to is what they respond to."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from lumiscope.errors import UsageError
from lumiscope.models import load_model
from lumiscope.world import SCENES, WORDS, describe, render
from lumiscope.world._planted import (
    FREQUENCIES,
    NEAR,
    NULLS,
    Noise,
    PlantedUnit,
    images_with_rare_scenes,
    plan_units,
    plant,
    words_present,
)
from lumiscope.world._planted_network import planted_network

SILENCE = Noise(spread=0, background=0, missed=0, false_alarms=0)


@pytest.fixture(scope="module")
def presence() -> np.ndarray:
    """(2000, 40): concepts of every frequency, independent of each other."""
    shares = np.resize([0.5, 0.2, 0.1, 0.01, 0.001], 40)
    generator = np.random.default_rng(0)
    return np.stack([generator.permutation(2000) < round(2000 * share) for share in shares], axis=1)


def test_words_are_present_where_a_pixel_shows_them() -> None:
    scenes = [render(index, 3) for index in range(4)]
    word_presence = words_present(scenes)
    words = [(kind, number) for kind in WORDS for number in range(1, len(WORDS[kind]) + 1)]
    assert word_presence.tolist() == [
        [bool((scene.labels[kind] == number).any()) for kind, number in words] for scene in scenes
    ]


def test_scenes_are_as_rare_as_wanted() -> None:
    chosen = images_with_rare_scenes(200, 7, {"city": 2, "night": 0})
    scenes = Counter(describe(index, 7).scene for index in chosen)
    assert (len(chosen), scenes["city"], scenes["night"]) == (200, 2, 0)
    assert len(set(chosen)) == 200
    cities = [place for place, index in enumerate(chosen) if describe(index, 7).scene == "city"]
    assert max(cities) > 20, "those that are rare are not all at the beginning"
    assert sorted(images_with_rare_scenes(5, 7, {})) == list(range(5))
    with pytest.raises(UsageError, match="at least one scene"):
        images_with_rare_scenes(5, 7, dict.fromkeys(SCENES, 0))


def test_single_concepts_have_the_frequency_that_was_asked_for(presence: np.ndarray) -> None:
    units = plan_units(presence, seed=1, singles=12)
    singles = [unit for unit in units if unit.kind == "single"]
    assert Counter(unit.frequency for unit in singles) == dict.fromkeys(FREQUENCIES, 12)
    for unit in singles:
        assert 1 / NEAR <= presence[:, unit.concepts[0]].mean() / unit.frequency <= NEAR


def test_where_no_concept_is_so_rare_the_nearest_is_taken(presence: np.ndarray) -> None:
    often = presence[:, presence.mean(axis=0) >= 0.1]
    rarest = {unit.concepts[0] for unit in plan_units(often) if unit.frequency == 0.001}
    assert rarest == set(np.flatnonzero(often.mean(axis=0) == 0.1))


def test_both_halves_of_a_pair_matter(presence: np.ndarray) -> None:
    pairs = [unit for unit in plan_units(presence) if unit.kind in ("or", "and")]
    assert {unit.kind for unit in pairs} == {"or", "and"}
    for unit in pairs:
        first, second = (presence[:, concept] for concept in unit.concepts)
        expected = first | second if unit.kind == "or" else first & second
        assert (unit.responds_to(presence) == expected).all()
        assert (first & second).sum() <= 0.5 * min(first.sum(), second.sum())
        assert expected.sum() >= 20


def test_without_noise_a_unit_is_the_presence_of_what_it_responds_to(presence: np.ndarray) -> None:
    units = plan_units(presence, singles=5, pairs=5, nulls=2, silent=2)
    activations = plant(units, presence, noise=SILENCE)
    assert activations.shape == (2000, len(units))
    for unit, column in zip(units, activations.T, strict=True):
        if unit.kind in NULLS:
            assert np.ptp(column) > 0
        elif unit.kind == "constant":
            assert column[0] > 0
            assert (column == column[0]).all()
        else:
            assert (column == unit.responds_to(presence)).all()


def test_noise_is_what_it_is_said_to_be(presence: np.ndarray) -> None:
    unit = PlantedUnit("single", (1,))  # on 400 of 2,000 images
    shown = unit.responds_to(presence)
    flips = plant([unit] * 50, presence, noise=Noise(0, 0, missed=0.1, false_alarms=0.05))
    assert set(np.unique(flips)) == {0, 1}
    # Binomial shares of 50 · 400 images: four standard errors.
    assert np.mean(flips[shown] == 0) == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 20_000))
    assert flips[~shown].sum() / 20_000 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 20_000))
    values = plant([unit] * 50, presence, noise=Noise(0.1, 0.2, 0, 0))
    assert values[shown].mean() == pytest.approx(1, abs=0.01)
    assert values[shown].std() == pytest.approx(0.1, abs=0.01)
    assert np.mean(values[~shown] == 0) == pytest.approx(0.5, abs=0.01)


def test_a_unit_depends_on_no_other(presence: np.ndarray) -> None:
    units = plan_units(presence, singles=2, pairs=2, nulls=2, silent=1)
    assert (plant(units[:3], presence, seed=4) == plant(units, presence, seed=4)[:, :3]).all()
    assert (plant(units, presence, seed=4) != plant(units, presence, seed=5)).any()


def test_nulls_know_nothing_of_the_concepts(presence: np.ndarray) -> None:
    units = [PlantedUnit(kind) for kind in NULLS]
    assert (plant(units, presence) == plant(units, ~presence)).all()


def test_the_network_gives_what_was_planted_for_the_pictures_that_it_knows() -> None:
    model = load_model(
        "python:lumiscope.world._planted_network:planted_network",
        model_options={"count": 30, "seed": 5},
        input_size=128,
    )
    scenes = [render(index, 5) for index in range(30)]
    presence = words_present(scenes)
    planted = plant(plan_units(presence), presence)
    order = np.random.default_rng(0).permutation(30)
    units = model.split("units").trunk(model.inputs(np.stack([scenes[index].pixels for index in order])))
    np.testing.assert_array_equal(units.activations.numpy(), planted[order])


def test_the_network_knows_a_picture_whatever_its_normalisation_and_size() -> None:
    network = planted_network(12, 5)
    pictures = torch.from_numpy(np.stack([render(index, 5).pixels for index in range(12)])).permute(0, 3, 1, 2).float()
    expected = network(pictures)
    assert torch.equal(network((pictures - 100) / 50), expected)
    assert torch.equal(network(torch.nn.functional.interpolate(pictures, size=96, mode="area")), expected)
    assert len(torch.unique(expected[:, 0])) == 12
