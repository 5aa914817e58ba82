from __future__ import annotations

import itertools

import numpy as np
import pytest

from lumiscope.dissection._packed_masks import PackedMasks, common_sizes, packed, population
from lumiscope.dissection.compositions import (
    OPERATORS,
    Formula,
    best_compositions,
    compositions_that_hold,
)
from lumiscope.errors import UsageError

NAMES = ["fish", "boat", "sea", "sky", "cat", "tree"]


def masks(generator: np.random.Generator, count: int, positions: int, share: float = 0.3) -> np.ndarray:
    return generator.random((count, positions)) < share


def reference_mask(formula: Formula, concepts: np.ndarray) -> np.ndarray:
    mask = concepts[formula.first]
    for operator, concept in formula.terms:
        other = concepts[concept]
        mask = {"or": mask | other, "and": mask & other, "and not": mask & ~other}[operator]
    return mask


def reference_iou(mask: np.ndarray, unit: np.ndarray) -> float:
    return (mask & unit).sum() / (mask | unit).sum()


def every_formula(num_concepts: int, length: int):
    for size in range(1, length + 1):
        for concepts in itertools.permutations(range(num_concepts), size):
            for operators in itertools.product(OPERATORS, repeat=size - 1):
                yield Formula(concepts[0], tuple(zip(operators, concepts[1:], strict=True)))


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_what_trying_every_formula_finds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    concepts = masks(generator, 6, 150)
    units = masks(generator, 5, 150)
    compositions = best_compositions(units, concepts, NAMES, beam=1000, gain=0)
    for unit, composition in zip(units, compositions, strict=True):
        best = max(reference_iou(reference_mask(formula, concepts), unit) for formula in every_formula(6, 3))
        assert composition.iou == pytest.approx(best, abs=1e-12)
        assert composition.iou == pytest.approx(
            reference_iou(reference_mask(composition.formula, concepts), unit), abs=1e-12
        )
        single = [reference_iou(concept, unit) for concept in concepts]
        assert composition.word == int(np.argmax(single))
        assert composition.word_iou == pytest.approx(max(single), abs=1e-12)


PLANTED = [
    "fish",
    "fish or boat",
    "fish and boat",
    "fish and not boat",
    "fish or boat or cat",
    "(fish or boat) and not sea",
]


@pytest.mark.parametrize("text", PLANTED)
def test_planted_formulas_are_found(text: str) -> None:
    generator = np.random.default_rng(5)
    concepts = masks(generator, 6, 5000)
    formula = next(candidate for candidate in every_formula(6, 3) if candidate.text(NAMES) == text)
    unit = reference_mask(formula, concepts)
    (clean,) = best_compositions(unit[None], concepts, NAMES)
    assert (clean.formula.meaning, clean.iou) == (formula.meaning, 1)
    noisy = unit ^ (generator.random(5000) < 0.02)
    (composition,) = best_compositions(noisy[None], concepts, NAMES)
    assert composition.formula.meaning == formula.meaning
    assert composition.iou == pytest.approx(reference_iou(unit, noisy))


def test_text_and_meaning_of_formulas() -> None:
    a_or_b = Formula(0).then("or", 1)
    assert a_or_b.then("and not", 2).text(NAMES) == "(fish or boat) and not sea"
    assert Formula(0).then("and not", 2).then("and", 1).text(NAMES) == "fish and not sea and boat"
    assert Formula(0).then("and", 1).then("or", 2).text(NAMES) == "(fish and boat) or sea"
    assert a_or_b.meaning == Formula(1).then("or", 0).meaning
    assert a_or_b.meaning != Formula(0).then("and", 1).meaning
    assert Formula(0).then("and not", 2).then("and", 1).meaning == Formula(1).then("and", 0).then("and not", 2).meaning
    assert Formula(0).then("and not", 2).meaning != Formula(2).then("and not", 0).meaning
    assert a_or_b.then("and", 2).meaning != Formula(0).then("or", 2).then("and", 1).meaning


def test_meanings_are_equal_only_where_masks_are() -> None:
    concepts = np.array(list(itertools.product([False, True], repeat=4))).T  # every combination of four concepts
    by_meaning: dict[object, set[bytes]] = {}
    for formula in every_formula(4, 3):
        by_meaning.setdefault(formula.meaning, set()).add(reference_mask(formula, concepts).tobytes())
    assert all(len(contents) == 1 for contents in by_meaning.values())


def test_a_longer_formula_has_to_be_worth_it() -> None:
    concepts = np.zeros((2, 100), bool)
    concepts[0, :60], concepts[1, 60:63] = True, True
    unit = np.zeros((1, 100), bool)
    unit[0, :63] = True
    (plain,) = best_compositions(unit, concepts, NAMES[:2], gain=0.1)
    assert (plain.text, plain.iou) == ("fish", pytest.approx(60 / 63))
    (longer,) = best_compositions(unit, concepts, NAMES[:2], gain=0)
    assert (longer.text, longer.iou) == ("fish or boat", 1)
    assert best_compositions(np.zeros((1, 100), bool), concepts, NAMES[:2]) == (None,)


def test_formulas_are_kept_only_where_they_hold_on_other_positions() -> None:
    generator = np.random.default_rng(7)
    concepts = masks(generator, 6, 4000)
    concepts[0] |= masks(generator, 1, 4000)[0]  # more frequent, so it is the best word
    true = concepts[0] | concepts[1]
    chance = masks(generator, 1, 4000, 0.01)[0]
    here = np.arange(4000) < 2000
    measured = np.arange(4000) >= 3000
    elsewhere = [np.where(here, true, concepts[0]), np.where(measured, concepts[0], true)]
    units = np.stack([true, chance, concepts[3], *elsewhere])
    parts = [(part[:, :2000], part[:, 2000:3000], part[:, 3000:]) for part in (units, concepts)]
    compositions = compositions_that_hold(*parts, NAMES)
    assert compositions[0].text in ("fish or boat", "boat or fish")
    assert compositions[0].heldout_iou == 1
    assert compositions[0].heldout_word_iou == pytest.approx(
        reference_iou(concepts[compositions[0].word, 3000:], true[3000:])
    )
    assert compositions[2] is None, "one word explains it"
    assert compositions[3] is None, "half of the formula is not true where it is checked"
    assert compositions[4].heldout_word_iou == 1 > compositions[4].heldout_iou, "what is measured chooses nothing"


def test_packed_masks_count_as_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(8)
    plain = masks(generator, 7, 333)
    words = packed(plain)
    assert words.shape == (7, 6)
    np.testing.assert_array_equal(PackedMasks.of(plain).sizes, plain.sum(1))
    np.testing.assert_array_equal(common_sizes(words, words[2]), (plain & plain[2]).sum(1))
    monkeypatch.delattr(np, "bitwise_count", raising=False)  # numpy 1 has none
    np.testing.assert_array_equal(population(words), plain.sum(1))


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="the same positions"):
        best_compositions(np.ones((1, 10), bool), np.ones((2, 100), bool), NAMES[:2])
    with pytest.raises(UsageError, match="the same positions"):
        best_compositions(np.ones((1, 10), bool), np.ones((2, 10), bool), NAMES)
    with pytest.raises(UsageError, match="a beam of 1 or more"):
        best_compositions(np.ones((1, 10), bool), np.ones((2, 10), bool), NAMES[:2], beam=0)
