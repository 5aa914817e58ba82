"""Matrices worked on block by block: the same numbers as in one piece, whatever they lie in."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from lumiscope.columns import ColumnFile
from lumiscope.dissection import SIMILARITIES
from lumiscope.dissection.similarity import blocks
from lumiscope.errors import ScorerError

NAMES = list(SIMILARITIES)
SOFTMAX = ["soft_wpmi", "wpmi"]
ROUNDING = dict.fromkeys(SOFTMAX, 1e-5)  # float32 sums in another order


def case(images=300, units=11, concepts=23):
    generator = np.random.default_rng([images, units, concepts])
    activations = np.maximum(generator.normal(0.3, 1, (images, units)), 0).astype(np.float32)
    return activations, generator.normal(0.2, 0.05, (images, concepts)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_change_nothing(name, monkeypatch):
    activations, scores = case()
    method = SIMILARITIES[name]
    whole = method(activations, scores)
    monkeypatch.setattr(blocks, "MOST_COLUMNS", 4)
    monkeypatch.setattr(blocks, "HELD_BYTES", 1000)
    monkeypatch.setattr(blocks, "ROWS", 7)
    np.testing.assert_allclose(method(activations, scores), whole, rtol=1e-10, atol=ROUNDING.get(name, 1e-12))


@pytest.mark.parametrize(
    ("fit", "most", "widths"), [(5, 256, [4, 4, 4]), (100, 6, [6, 6]), (0.5, 256, [1] * 12), (100, 256, [12])]
)
def test_blocks_are_as_wide_as_memory_and_the_bound_allow(fit, most, widths, monkeypatch):
    """`fit`: columns of 10 numbers in float64 that fit a block; 12 columns are shared out equally."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", int(fit * 10 * 8))
    monkeypatch.setattr(blocks, "MOST_COLUMNS", most)
    matrix = np.arange(120.0).reshape(10, 12)
    parts = list(blocks.in_blocks(lambda where, columns: columns, matrix))
    assert [part.shape[1] for part in parts] == widths
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), matrix)


@pytest.mark.parametrize("name", NAMES)
def test_files_give_what_arrays_give(name, monkeypatch):
    activations, scores = case()
    files = [ColumnFile.from_rows([array], *array.shape) for array in (activations, scores)]
    method = SIMILARITIES[name]
    whole = method(activations, scores)
    monkeypatch.setattr(blocks, "MOST_COLUMNS", 3)
    np.testing.assert_allclose(method(*files), whole, rtol=1e-10, atol=ROUNDING.get(name, 1e-12))


@pytest.mark.parametrize("name", NAMES)
def test_some_units_and_some_concepts_score_as_they_do_among_all(name):
    activations, scores = case()
    method = SIMILARITIES[name]
    whole = method.unitwise(activations, scores)
    units, concepts = [7, 2], [20, 3, 4]
    part = method.unitwise(activations[:, units], scores[:, concepts], method.row_totals(scores))
    np.testing.assert_allclose(part, whole[np.ix_(units, concepts)], rtol=1e-12, atol=ROUNDING.get(name, 1e-14))


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_make_the_whole(name):
    activations, scores = case()
    method = SIMILARITIES[name]
    unitwise = method.unitwise(activations, scores)
    average = method.layer_average(unitwise)
    np.testing.assert_array_equal(method.contrasted(unitwise, average), method(activations, scores))
    assert (average is None) == (name not in SOFTMAX)
    if average is not None:
        np.testing.assert_allclose(average, logsumexp(unitwise, axis=0) - np.log(11), rtol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_row_totals_are_those_of_all_concepts(name, monkeypatch):
    _, scores = case()
    monkeypatch.setattr(blocks, "MOST_COLUMNS", 5)
    totals = SIMILARITIES[name].row_totals(scores * 300)
    if name in SOFTMAX:
        sharpness = {"soft_wpmi": 10, "wpmi": 2}[name]
        np.testing.assert_allclose(totals, logsumexp(sharpness * (scores * 300).astype(float), axis=1), rtol=1e-7)
    else:
        assert totals is None


def test_totals_of_other_images_are_refused():
    activations, scores = case()
    with pytest.raises(ScorerError, match="one total for each of 300 images"):
        SIMILARITIES["wpmi"].unitwise(activations, scores, np.zeros(299))


class ManyConcepts:
    """(10,000, 20,000) float32: eighty times 250 concepts, each time stretched by one of eight factors."""

    shape = (10_000, 20_000)
    pattern = np.random.default_rng(8).normal(0.2, 0.03, (10_000, 250)).astype(np.float32)
    factors = np.linspace(0.9, 1.1, 8, dtype=np.float32)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        concepts = np.arange(self.shape[1])[key[1]]
        return self.pattern[key[0], concepts % 250] * self.factors[concepts // 250 % 8]


@pytest.mark.parametrize("name", NAMES)
def test_twenty_thousand_concepts_in_float32_keep_four_digits(name):
    scores = ManyConcepts()
    activations = np.maximum(np.random.default_rng(9).normal(0.2, 0.1, (10_000, 2)), 0).astype(np.float32)
    activations[:, 1] += scores[:, 3:4][:, 0]
    method = SIMILARITIES[name]
    totals = totals_of_all = None
    if name in SOFTMAX:
        sharpness = {"soft_wpmi": 10, "wpmi": 2}[name]
        wide = [scores.pattern.astype(np.float64) * factor for factor in scores.factors]
        totals_of_all = np.log(10 * sum(np.exp(sharpness * part).sum(axis=1) for part in wide))
        totals = method.row_totals(scores)
        np.testing.assert_allclose(totals, totals_of_all, rtol=0, atol=1e-6)
    some = scores[:, 0:5]
    got = method.unitwise(activations, some, totals)
    wanted = method.unitwise(activations.astype(np.float64), some.astype(np.float64), totals_of_all)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4)
