"""What few images can tell: against cases that can be reasoned out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import lumiscope.dissection.evidence.capacity as capacity_module
from lumiscope.dissection import EvidenceOptions, small_sample_notes
from lumiscope.dissection.evidence.capacity import measure_capacity
from lumiscope.dissection.evidence.held_out import parts
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.errors import UnknownNameError


def scores(images, concepts, seed=0):
    return 0.2 + 0.03 * np.random.default_rng(seed).normal(size=(images, concepts))


def test_ten_images_cannot_support_three_thousand_concepts():
    capacity = measure_capacity("cos_cubed", scores(10, 3000))
    assert (capacity.images, capacity.concepts) == (10, 3000)
    assert capacity.good < 0.2
    assert capacity.supported < 10
    minimum, short, told, advice = small_sample_notes("wpmi", scores(10, 3000))
    assert minimum.startswith("10 probing images are few: weighted pointwise")
    assert short.startswith("10 probing images cannot support 3,000 concepts (similarity wpmi)")
    assert told.startswith("10 probing images ")
    assert advice.endswith("Use more probing images, or fewer concepts.")


def test_many_images_can():
    capacity = measure_capacity("pearson", scores(300, 200))
    assert (capacity.perfect, capacity.good, capacity.supported) == (1, 1, 200)
    assert small_sample_notes("pearson", scores(300, 200)) == ()
    assert small_sample_notes("soft_wpmi", scores(1001, 5)) == ()


@pytest.mark.parametrize("name", ["cos_cubed", "soft_wpmi", "iou", "rank_reorder"])
def test_one_image_tells_nothing(name):
    capacity = measure_capacity(name, scores(1, 4))
    assert (capacity.perfect, capacity.good, capacity.supported) == (0, 0, 0)
    assert any("1 probing image cannot support 4 concepts" in note for note in small_sample_notes(name, scores(1, 4)))


def test_three_images_have_six_orders():
    """Of a permuted unit one in six, or with two concepts more, is as much like a concept as that itself."""
    capacity = measure_capacity("pearson", scores(3, 2))
    assert capacity.perfect == 0
    assert measure_capacity("pearson", scores(3, 2), options=EvidenceOptions(fdr=0.6)).perfect == 1


def probing(images):
    """So many probing images have `images` that choose and test labels."""
    count = 3 * images // 2
    assert len(parts(ImageGroups.single(count), 0)[0]) == images
    return count


def share_that_passes(images, concepts):
    """How often a good unit is told from the best of `concepts` on permuted images, at p = 0.05, and comes first.

    By chance correlations are those of normal columns. A good unit is √½ of its concept and √½ of noise, both of
    length 1: where these correlate by ρ, which is chance, unit and concept do by √((1 + ρ) / 2).
    """
    chance = stats.beta(images / 2 - 1, images / 2 - 1, loc=-1, scale=2)
    correlations = np.sqrt((1 + chance.ppf((np.arange(10_000) + 0.5) / 10_000)) / 2)
    return np.mean((correlations >= chance.ppf(0.95 ** (1 / concepts))) * chance.cdf(correlations) ** (concepts - 1))


@pytest.mark.parametrize(
    ("images", "concepts", "about"), [(25, 2, 1.0), (25, 60, 0.9), (25, 2000, 0.4), (15, 60, 0.4), (40, 2000, 1.0)]
)
def test_as_many_units_pass_as_beat_the_best_of_all_concepts_by_chance(images, concepts, about):
    expected = share_that_passes(images, concepts)
    assert expected == pytest.approx(about, abs=0.05)
    units = min(concepts, 50)
    tolerance = 3 * np.sqrt(expected * (1 - expected) / units) + 0.02
    assert measure_capacity("pearson", scores(probing(images), concepts)).good == pytest.approx(expected, abs=tolerance)


def test_so_many_concepts_are_supported_as_pass_four_times_in_five():
    steps = [1, 2, 5, 10, 20, 50, 60]
    passing = [count for count in steps if share_that_passes(15, count) >= 0.8]
    assert passing == [1, 2, 5]
    capacity = measure_capacity("pearson", scores(probing(15), 60)).supported
    assert capacity in {2, 5, 10}, "of 50 units made a few pass or fail by chance: one step up or down"


def test_the_share_that_is_asked_for_is_enough(monkeypatch):
    matrix = scores(probing(25), 60)
    good = measure_capacity("pearson", matrix).good
    assert 0.8 < good < 1
    monkeypatch.setattr(capacity_module, "POWER", good)
    assert measure_capacity("pearson", matrix).supported == 60
    assert small_sample_notes("pearson", matrix) == ()
    monkeypatch.setattr(capacity_module, "POWER", good + 0.01)
    assert measure_capacity("pearson", matrix).supported < 60
    assert small_sample_notes("pearson", matrix)


def test_a_tie_with_a_concept_that_is_no_synonym_is_not_found():
    """On the 5 images of 100 where the first concept is highest, the second puts them in the same order.

    A unit that is the first concept is as like the second, and one that is the second is like it alone: one of two.
    """
    rng = np.random.default_rng(0)
    values = rng.uniform(0.2, 0.3, (100, 2))
    values[:5, 0] = values[:5, 1] = [0.95, 0.9, 0.85, 0.8, 0.75]
    values[5:10, 1] = [1.0, 0.99, 0.98, 0.97, 0.96]
    values[5:10, 0] = [0.21, 0.24, 0.22, 0.25, 0.23]
    assert np.corrcoef(values.T)[0, 1] < 0.9
    assert {measure_capacity("rank_reorder", values, seed=seed).perfect for seed in range(6)} == {0.5}


def test_a_concept_that_never_varies_stands_in_nobodys_way():
    """Annotations have words that are on none of the images; the similarity of these is undefined."""
    values = (np.random.default_rng(0).random((200, 30)) < 0.2).astype(np.float32)
    values[:, 7] = 0
    for name in ("pearson", "auroc", "f1"):
        assert measure_capacity(name, values).perfect == 1
    assert small_sample_notes("pearson", values) == ()


def test_a_concept_that_ties_with_others_is_not_found():
    """The order of two images is that of half of all concepts: they all score 0."""
    capacity = measure_capacity("rank_reorder", scores(10, 3000))
    assert (capacity.perfect, capacity.good) == (0, 0)


def test_one_image_is_said_in_the_singular():
    assert small_sample_notes("pearson", scores(1, 4))[0].startswith("1 probing image is few: Pearson")


def test_few_images_for_the_definition_are_said():
    def notes(name, images):
        return [note for note in small_sample_notes(name, scores(images, 3)) if "is defined for" in note]

    (note,) = notes("soft_wpmi", 60)
    assert note.startswith("60 probing images are few: soft weighted")
    assert "defined for 100 or more" in note
    assert [len(notes("wpmi", count)) for count in (28, 29)] == [1, 0]
    assert [len(notes("rank_reorder", count)) for count in (39, 40)] == [1, 0]
    with pytest.raises(UnknownNameError):
        small_sample_notes("nothing", scores(5, 3))
