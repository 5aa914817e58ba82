"""Sentences about the labels of units: how many there are, what they are worth, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lumiscope.concepts import CATEGORIES
from lumiscope.runs import (
    CATEGORY,
    CONCEPT,
    NO_LABEL,
    CategoryRow,
    ConceptCountRow,
    LayerRow,
    ModelDifferenceRow,
    Reason,
    UnitRow,
)
from lumiscope.statistics import difference_interval, share_test, sharing_test
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model, observed
from lumiscope.study.findings.registry import finding

NAMED = 3  # concepts that a sentence spells out
FEWER = "fewer concepts in common"  # a hypothesis beside that of a concept
PAIRS = 3  # pairs of models that get sentences; the tables have all


@finding("labelled_units", order=50, needs=(LayerRow, ConceptCountRow))
def labelled_units(tables: Rows) -> Iterator[Claim]:
    """How many units of each model have a label, which, and what refused the others one."""
    counts = tables.rows(ConceptCountRow)
    for model, rows in by_model(tables.rows(LayerRow)).items():
        whole = _whole(rows)
        if whole is None or not whole.units:
            continue
        of_model = [row for row in counts if row.model == model and row.layer is None]
        named = ", ".join(f"{row.concept} ({row.units})" for row in of_model[:NAMED] if row.units)
        where = f"{len(rows) - 1} layers" if len(rows) > 2 else "one layer"
        rate = f" at a false discovery rate of {whole.fdr:.0%}" if whole.fdr is not None else ""
        kinds = {reason: getattr(whole, reason.column) for reason in Reason}
        refused = ", ".join(f"{count} {reason}" for reason, count in kinds.items() if count)
        yield Claim(
            observed(
                f"{model}: {whole.labelled} of {whole.units} units in {where} got a label{rate}"
                + (f"; the most frequent: {named}." if named else ".")
                + (f" The others are left without one: {refused}." if refused else "")
                + ("" if rate else " Labels were not tested against chance."),
                "the rate counts units that are related to no concept at all; which of several likely words is the "
                "right one is another question"
                if rate
                else "",
            ),
            statistic="share of units with a label",
            value=whole.share,
            low=whole.low,
            high=whole.high,
            test="95 % Wilson interval" + ("; Benjamini and Hochberg over the units of each layer" if rate else ""),
            tables="layers, concept_counts",
        )


@finding("heldout_labels", order=51, needs=(UnitRow,))
def heldout_labels(tables: Rows) -> Iterator[Claim]:
    """What labels predict on images that had no part in choosing them."""
    for model, rows in by_model(tables.rows(UnitRow)).items():
        known = [row.heldout_correlation for row in rows if row.label is not None]
        values = np.array([value for value in known if math.isfinite(value)])
        if not values.size:
            continue
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
        yield Claim(
            observed(
                f"{model}: on held-out probing images the activations of labelled units correlate with their concept "
                f"at a median of {median:.2f} (middle half of the units: {low:.2f} to {high:.2f}; 1 would be perfect)."
            ),
            statistic="median held-out correlation",
            value=float(median),
            tables="units",
        )


@finding("depth", order=52, needs=(LayerRow, CategoryRow))
def depth(tables: Rows) -> Iterator[Claim]:
    """The categories whose share changes between the first and the last layer of each model."""
    categories = tables.rows(CategoryRow)
    for model, rows in by_model(tables.rows(LayerRow)).items():
        layers = [row for row in rows if row.layer is not None]
        if len(layers) < 2:
            continue
        counts = {(row.layer, row.category): row.units for row in categories if row.model == model}
        first, last = layers[0], layers[-1]
        # A category without units at both ends could never be found to change: no test to correct for (Tarone 1990).
        known = {name: _Change(name, first, last, counts) for name in CATEGORIES if name != "other"}
        changes = {name: change for name, change in known.items() if change.start[0] or change.end[0]}
        if changes:
            yield _depth_claim(model, changes)


class _Change:
    """The share of a category in two layers. `start`, `end`: units of the category, units of the layer."""

    def __init__(
        self, category: str, first: LayerRow, last: LayerRow, counts: Mapping[tuple[str | None, str], int]
    ) -> None:
        self.start, self.end = ((counts.get((row.layer, category), 0), row.units) for row in (first, last))
        self._layers = first.layer, last.layer
        self.difference = self.end[0] / self.end[1] - self.start[0] / self.start[1]

    def __str__(self) -> str:
        shares = [units / total for units, total in (self.start, self.end)]
        return f"from {shares[0]:.0%} of the units in {self._layers[0]} to {shares[1]:.0%} in {self._layers[1]}"


def _depth_claim(model: str, changes: Mapping[str, _Change]) -> Claim:
    biggest = max(changes, key=lambda name: abs(changes[name].difference))
    low, high = difference_interval(changes[biggest].start, changes[biggest].end)

    def text(shown: list[str]) -> str:
        shown.sort(key=lambda name: -abs(changes[name].difference))
        told = [f"{name} {'grow' if changes[name].difference > 0 else 'fade'}, {changes[name]}" for name in shown]
        return f"{model}: with depth, labels of the category {'; of '.join(told)}."

    return Claim(
        answer(
            supported=text,
            undecided=f"{model}: no change with depth is shown. It is largest in the category {biggest}, "
            f"{changes[biggest]}, which chance could explain.",
        ),
        hypotheses={
            name: Hypothesis(share_test(change.start, change.end), sum((change.start[1], change.end[1])), floors.none)
            for name, change in changes.items()
        },
        statistic="difference of shares",
        value=changes[biggest].difference,
        low=low,
        high=high,
        test="Fisher's exact test of each category between these two layers; Newcombe's 95 % interval",
        tables="categories",
    )


@finding("model_categories", order=60, needs=(ModelDifferenceRow,))
def model_categories(tables: Rows) -> Iterator[Claim]:
    """For the first pairs of models: the category in which their last layers differ."""
    for rows in _last_layers(tables):
        categories = [row for row in rows if row.kind == CATEGORY and row.name != NO_LABEL]
        if categories:
            yield _category_difference(categories)


@finding("model_concepts", order=61, needs=(ModelDifferenceRow,))
def model_concepts(tables: Rows) -> Iterator[Claim]:
    """For the first pairs of models: how many concepts their last layers share."""
    for rows in _last_layers(tables):
        concepts = [row for row in rows if row.kind == CONCEPT]
        if concepts:
            yield _concept_difference(concepts)


def _last_layers(tables: Rows) -> Iterator[list[ModelDifferenceRow]]:
    pairs: dict[tuple[str, str], list[ModelDifferenceRow]] = {}
    for row in tables.rows(ModelDifferenceRow):
        if row.layer_a is not None:
            pairs.setdefault((row.model_a, row.model_b), []).append(row)
    for rows in list(pairs.values())[:PAIRS]:
        yield [row for row in rows if (row.layer_a, row.layer_b) == (rows[-1].layer_a, rows[-1].layer_b)]


def _category_difference(rows: Sequence[ModelDifferenceRow]) -> Claim:
    top = min(rows, key=lambda row: (row.p_adjusted, -abs(row.difference)))
    shares = (top.units_a / top.of_a, top.units_b / top.of_b)
    numbers = f"{top.name}: {shares[0]:.0%} of the units in {_layers(top)} against {shares[1]:.0%}"
    return Claim(
        answer(
            supported=f"{top.model_a} and {top.model_b} differ most clearly in the category {numbers}.",
            undecided=f"{top.model_a} and {top.model_b}: that their units are of different categories is not shown. "
            f"They differ most clearly in {numbers}, which chance could explain.",
        ),
        hypotheses={top.name: Hypothesis(top.p_adjusted, top.of_a + top.of_b, floors.none)},
        statistic="difference of shares",
        value=top.difference,
        low=top.low,
        high=top.high,
        test="Fisher's exact test, Holm over all categories; Newcombe's 95 % interval",
        tables="model_differences",
    )


def _concept_difference(rows: Sequence[ModelDifferenceRow]) -> Claim:
    """How many concepts two models share, against the same units dealt out to them at random."""
    top = min(rows, key=lambda row: row.p_adjusted)
    expected, p_value = sharing_test([row.units_a for row in rows], [row.units_b for row in rows])
    only_a = [row for row in rows if row.units_a and not row.units_b]
    only_b = [row for row in rows if row.units_b and not row.units_a]
    both = len(rows) - len(only_a) - len(only_b)
    parts = [
        f"{len(only)} only in {model}" + (f" ({_most(only, counts)})" if only else "")
        for only, model, counts in (
            (only_a, top.model_a, [row.units_a for row in only_a]),
            (only_b, top.model_b, [row.units_b for row in only_b]),
        )
    ]
    opening = f"Of the {len(rows)} concepts in {_layers(top)}, {both} {'is' if both == 1 else 'are'} in both models"
    closing = f"{expected:.1f} if their units were dealt out at random), {parts[0]} and {parts[1]}."

    def text(shown: list[str]) -> str:
        fewer = "fewer than " if FEWER in shown else "not shown to be fewer than "
        return f"{opening} ({fewer}{closing}" + (f" Most different: {_told(top)}." if top.name in shown else "")

    return Claim(
        answer(supported=text, undecided=text([])),
        hypotheses={
            FEWER: Hypothesis(p_value, top.of_a + top.of_b, floors.none),
            top.name: Hypothesis(top.p_adjusted, top.of_a + top.of_b, floors.none),
        },
        statistic="share of concepts in both models",
        value=both / len(rows),
        test="permutation test: so few shared, units dealt out at random; of the most different, Fisher's exact test",
        tables="model_differences",
    )


def _most(rows: Sequence[ModelDifferenceRow], counts: Sequence[int]) -> str:
    """The names with the most units."""
    ordered = sorted(zip(rows, counts, strict=True), key=lambda pair: (-pair[1], pair[0].name))
    named = [row.name for row, _ in ordered[:NAMED]]
    return ", ".join(named) + (", …" if len(rows) > NAMED else "")


def _told(row: ModelDifferenceRow) -> str:
    return f"{row.name}, {row.units_a} of {row.of_a} units against {row.units_b} of {row.of_b}"


def _layers(row: ModelDifferenceRow) -> str:
    if row.layer_a == row.layer_b:
        return str(row.layer_a)
    return f"their last layers ({row.layer_a} and {row.layer_b})"


def _whole(rows: Sequence[LayerRow]) -> LayerRow | None:
    """The row that counts all layers."""
    return next((row for row in rows if row.layer is None), None)
