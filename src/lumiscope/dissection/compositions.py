"""Compositional labels: formulas of concepts, as "(fish or boat) and not sea", for units that one word leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lumiscope.dissection._packed_masks import PackedMasks, Words, common_sizes, population
from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, DoubleArray, IntArray

Operator: TypeAlias = Literal["or", "and", "and not"]
OPERATORS: tuple[Operator, ...] = ("or", "and", "and not")
Masks: TypeAlias = BoolArray | PackedMasks
Parts: TypeAlias = tuple[Masks, Masks, Masks]
"""On the positions to search, to check and to measure."""
LENGTH, BEAM, GAIN = 3, 10, 0.1


@dataclass(frozen=True)
class Formula:
    """Concepts put together from left to right: `first`, then each of `terms` as (operator, concept)."""

    first: int
    terms: tuple[tuple[Operator, int], ...] = ()

    def __len__(self) -> int:
        return 1 + len(self.terms)

    @property
    def concepts(self) -> tuple[int, ...]:
        """The concepts in it, in order."""
        return (self.first, *(concept for _, concept in self.terms))

    def then(self, operator: Operator, concept: int) -> Formula:
        """The formula with one more concept."""
        return Formula(self.first, (*self.terms, (operator, concept)))

    def text(self, names: Sequence[str]) -> str:
        """In words: "(fish or boat) and not sea"."""
        said = names[self.first]
        before: Operator | None = None
        for operator, concept in self.terms:
            if before is not None and (before == "or") != (operator == "or"):
                said = f"({said})"
            said = f"{said} {operator} {names[concept]}"
            before = operator
        return said

    @property
    def meaning(self) -> tuple[frozenset[tuple[bool, int]] | bool, ...]:
        """Equal for formulas that say the same in another order of equal operators, as "a or b" and "b or a"."""
        groups: list[frozenset[tuple[bool, int]] | bool] = []
        members = {(True, self.first)}
        kind: bool | None = None
        for operator, concept in self.terms:
            if kind is not None and kind != (operator == "or"):
                groups += [kind, frozenset(members)]
                members = set()
            kind = operator == "or"
            members.add((operator != "and not", concept))
        return (*groups, kind is True, frozenset(members))

    def words(self, concepts: Words) -> Words:
        """(W,) the mask of the formula, of the packed masks (K, W) of the concepts."""
        mask: Words = concepts[self.first]
        for operator, concept in self.terms:
            other = concepts[concept]
            mask = mask | other if operator == "or" else mask & (other if operator == "and" else ~other)
        return mask


@dataclass(frozen=True)
class Composition:
    """The formula that explains a unit best. `text`: in words. `iou`: of the unit and the formula.

    `word`: the best single concept, and `word_iou`.
    """

    formula: Formula
    text: str
    iou: float
    word: int
    word_iou: float


@dataclass(frozen=True)
class HeldOutComposition(Composition):
    """A composition with the IoU of formula and word on positions that took no part in the search."""

    heldout_iou: float
    heldout_word_iou: float


def best_compositions(
    unit_masks: Masks,
    concept_masks: Masks,
    names: Sequence[str],
    *,
    length: int = LENGTH,
    beam: int = BEAM,
    gain: float = GAIN,
) -> tuple[Composition | None, ...]:
    """The formula over concepts with the highest IoU for each unit; None for a unit without positions.

    `unit_masks`: (U, N) bool, on which positions (pixels, or images) a unit fires; `concept_masks`: (K, N) bool, where
    concepts are; either may be packed. `names`: (K,). Beam search: the `beam` best formulas are joined with every
    concept by or, and, and not, up to `length` concepts. `gain`: a longer formula counts only if its IoU is at least
    (1 + gain) times that of the best shorter one that counts; 0: if it is higher.
    Raises UsageError where the masks or names do not fit each other, or for a length or beam below 1.
    Source: Mu and Andreas 2020, Compositional Explanations of Neurons, section 2.
    """
    units, concepts = PackedMasks.of(unit_masks), PackedMasks.of(concept_masks)
    if units.num_positions != concepts.num_positions or len(concepts) != len(names):
        raise UsageError(
            "expected units and concepts over the same positions, and a name for each concept; got units over about "
            f"{units.num_positions}, {len(concepts)} concepts over about {concepts.num_positions}, {len(names)} names"
        )
    if length < 1 or beam < 1 or not len(names):
        raise UsageError(f"expected concepts, and a length and a beam of 1 or more; got {len(names)}, {length}, {beam}")
    space = _Space(concepts)
    return tuple(_search(words, space, names, length, beam, gain) for words in units.words)


def compositions_that_hold(
    unit_masks: Parts,
    concept_masks: Parts,
    names: Sequence[str],
    *,
    length: int = LENGTH,
    beam: int = BEAM,
    gain: float = GAIN,
) -> tuple[HeldOutComposition | None, ...]:
    """Formulas for the units that one word does not explain, checked and measured on positions held out.

    `unit_masks` and `concept_masks`: on the positions to search, to check and to measure; see `best_compositions`. A
    unit gets a formula where that has an IoU of at least (1 + gain) times its best word's both where it was searched
    and where it is checked; None for all others. `heldout_iou` is of the last positions, which chose nothing.
    """
    searched = best_compositions(unit_masks[0], concept_masks[0], names, length=length, beam=beam, gain=gain)
    checked, measured = (
        [_ious(composition, unit, concepts) for composition, unit in zip(searched, units, strict=True)]
        for units, concepts in zip(map(_words, unit_masks[1:]), map(_words, concept_masks[1:]), strict=True)
    )
    return tuple(
        HeldOutComposition(**vars(composition), heldout_iou=iou[0], heldout_word_iou=iou[1])
        if composition is not None and len(composition.formula) > 1 and check[0] >= (1 + gain) * check[1] and check[0]
        else None
        for composition, check, iou in zip(searched, checked, measured, strict=True)
    )


def _words(masks: Masks) -> Words:
    return PackedMasks.of(masks).words


def _ious(composition: Composition | None, unit: Words, concepts: Words) -> tuple[float, float]:
    """Of formula and best word; 0 without them."""
    if composition is None:
        return 0.0, 0.0
    return _iou_of(composition.formula.words(concepts), unit), _iou_of(Formula(composition.word).words(concepts), unit)


def _iou_of(mask: Words, unit: Words) -> float:
    union = int(population(mask | unit))
    return int(population(mask & unit)) / union if union else 0.0


class _Space:
    """The concepts, and what formulas have in common with each of them, counted once for all units."""

    def __init__(self, concepts: PackedMasks) -> None:
        self.words = concepts.words
        self.sizes = concepts.sizes
        self._common: dict[Formula, IntArray] = {}

    def common(self, formula: Formula) -> IntArray:
        """(K,) positions that a formula has in common with each concept."""
        if formula not in self._common:
            self._common[formula] = common_sizes(self.words, formula.words(self.words))
        return self._common[formula]


@dataclass(frozen=True)
class _Scored:
    """A formula with its number of positions, those of them on which the unit fires, and its IoU."""

    formula: Formula
    size: int
    hits: int
    iou: float


def _search(
    unit: Words, space: _Space, names: Sequence[str], length: int, beam: int, gain: float
) -> Composition | None:
    area = int(population(unit))
    if not area:
        return None
    # Units fire on few positions: whatever concerns those alone needs only the words that hold one.
    filled = unit != 0
    inside = space.words[:, filled] & unit[filled]
    hits = population(inside)
    iou = hits / (area + space.sizes - hits)
    order = np.argsort(-iou, kind="stable")[:beam]
    formulas = [_Scored(Formula(int(k)), int(space.sizes[k]), int(hits[k]), float(iou[k])) for k in order]
    word = best = formulas[0]
    for _ in range(1, length):
        formulas = _longer(formulas, inside, hits, area, space, beam)
        if formulas and formulas[0].iou > best.iou and formulas[0].iou >= (1 + gain) * best.iou:
            best = formulas[0]
    return Composition(best.formula, best.formula.text(names), best.iou, word.formula.first, word.iou)


def _longer(
    formulas: Sequence[_Scored], inside: Words, hits: IntArray, area: int, space: _Space, beam: int
) -> list[_Scored]:
    """The `beam` best formulas that have one concept more than those given, best first, each meaning once."""
    sizes, hit = np.empty((2, len(formulas), len(OPERATORS), len(space.sizes)), np.int64)
    for row, scored in enumerate(formulas):
        common, common_hits = space.common(scored.formula), common_sizes(inside, scored.formula.words(inside))
        sizes[row] = scored.size + space.sizes - common, common, scored.size - common
        hit[row] = scored.hits + hits - common_hits, common_hits, scored.hits - common_hits
    union = area + sizes - hit
    iou: DoubleArray = hit / union
    for row, scored in enumerate(formulas):
        iou[row, :, list(scored.formula.concepts)] = -1
    longer: dict[object, _Scored] = {}
    for place in np.argsort(-iou, axis=None, kind="stable"):
        row, operator, concept = (int(index) for index in np.unravel_index(place, iou.shape))
        if len(longer) == beam or iou[row, operator, concept] < 0:
            break
        formula = formulas[row].formula.then(OPERATORS[operator], concept)
        candidate = _Scored(
            formula,
            int(sizes[row, operator, concept]),
            int(hit[row, operator, concept]),
            float(iou[row, operator, concept]),
        )
        longer.setdefault(formula.meaning, candidate)
    return list(longer.values())
