"""Sentences about the labels of units: how many there are, what they are worth, and what differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.concepts import CATEGORIES
from lumiscope.counts import counted
from lumiscope.runs import ConceptCountRow, LayerRow, Reason, UnitRow
from lumiscope.statistics import ClusteredShare, cluster_counts, clustered_share_test, sharing_test
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model, observed
from lumiscope.study.findings.registry import finding

NAMED = 3  # concepts that a sentence spells out
CLUSTERS = "permutation of whole clusters of units, which respond alike or have one label; category by category"
SHARED = "share of concepts in both models"
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
                f"{model}: {whole.labelled} of {counted(whole.units, 'unit')} in {where} got a label{rate}"
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
            test="95 % Wilson interval of clusters of units that respond alike"
            + ("; Benjamini and Hochberg over the units of each layer" if rate else ""),
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
                f"at a median of {median:.2f} (middle half of the units: {low:.2f} to {high:.2f}; 1 would be perfect).",
                "so far a label tells what its unit will do on pictures that nobody has looked at",
            ),
            statistic="median held-out correlation",
            value=float(median),
            tables="units",
        )


@finding("depth", order=52, needs=(LayerRow, UnitRow))
def depth(tables: Rows) -> Iterator[Claim]:
    """The categories whose share changes between the first and the last layer of each model."""
    for model, layers in _units_by_layer(tables).items():
        if len(layers) > 1:
            first, *_, last = layers
            changes = _changes(layers[first], layers[last])
            if changes:
                yield _depth_claim(model, first, last, changes)


@dataclass(frozen=True)
class _Change:
    """The share of a category in two groups of units, and the p-value that it is the same."""

    first: float
    second: float
    p_value: float
    clusters: int

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first


def _units_by_layer(tables: Rows) -> dict[str, dict[str, list[UnitRow]]]:
    """Model -> layer, in order -> its units."""
    order = {(row.model, row.layer): place for place, row in enumerate(tables.rows(LayerRow))}
    models: dict[str, dict[str, list[UnitRow]]] = {}
    for row in sorted(tables.rows(UnitRow), key=lambda row: order.get((row.model, row.layer), len(order))):
        models.setdefault(row.model, {}).setdefault(row.layer, []).append(row)
    return models


def _changes(first: Sequence[UnitRow], second: Sequence[UnitRow]) -> dict[str, _Change]:
    """Category -> its change. One without units on either side could never be found to change (Tarone 1990)."""
    changes = {}
    for category in CATEGORIES:
        shares = [
            ClusteredShare.of([row.category == category for row in units], [row.cluster for row in units])
            for units in (first, second)
        ]
        if category != "other" and any(share.hits.any() for share in shares):
            _, p_value = clustered_share_test(*shares)
            clusters = sum(len(share.sizes) for share in shares)
            changes[category] = _Change(shares[0].share, shares[1].share, p_value, clusters)
    return changes


def _depth_claim(model: str, first: str, last: str, changes: Mapping[str, _Change]) -> Claim:
    def told(name: str) -> str:
        change = changes[name]
        return f"from {change.first:.0%} of the units in {first} to {change.second:.0%} in {last}"

    def text(shown: list[str]) -> str:
        parts = [f"{name} {'grow' if changes[name].difference > 0 else 'fade'}, {told(name)}" for name in shown]
        return f"{model}: with depth, labels of the category {'; of '.join(parts)}."

    def undecided(biggest: str) -> str:
        return (
            f"{model}: no change with depth is shown. It is largest in the category {biggest}, {told(biggest)}, which "
            "chance could explain."
        )

    meaning = "what one layer responds to does not stand for the model"
    return _change_claim(changes, text, undecided, "units", meaning)


def _change_claim(
    changes: Mapping[str, _Change],
    text: Callable[[list[str]], str],
    undecided: Callable[[str], str],
    tables: str,
    meaning: str,
) -> Claim:
    """`text`: given the categories that change, the largest change first. `undecided`: given the largest of all."""
    size = {name: -abs(change.difference) for name, change in changes.items()}
    biggest = min(changes, key=lambda name: size[name])
    return Claim(
        answer(
            supported=lambda shown: text(sorted(shown, key=lambda name: size[name])),
            undecided=undecided(biggest),
            meaning=meaning,
        ),
        hypotheses={name: Hypothesis(change.p_value, change.clusters, floors.none) for name, change in changes.items()},
        statistic=f"difference of shares of {biggest}",
        value=changes[biggest].difference,
        test=CLUSTERS,
        tables=tables,
    )


@finding("model_categories", order=60, needs=(LayerRow, UnitRow))
def model_categories(tables: Rows) -> Iterator[Claim]:
    """For the first pairs of models: the categories in which their last layers differ."""
    for model_a, model_b, layers, units_a, units_b in _last_layers(tables):
        changes = _changes(units_a, units_b)
        if not changes:
            continue
        yield _categories_claim(f"{model_a} and {model_b}", layers, changes)


def _categories_claim(models: str, layers: str, changes: Mapping[str, _Change]) -> Claim:
    def told(name: str) -> str:
        return f"{name}, {changes[name].first:.0%} of the units in {layers} against {changes[name].second:.0%}"

    def text(shown: list[str]) -> str:
        return f"{models} differ in categories: {'; '.join(map(told, shown))}."

    def undecided(biggest: str) -> str:
        return (
            f"{models}: that their units are of different categories is not shown. The difference is largest in "
            f"{told(biggest)}, which chance could explain."
        )

    meaning = "they put the same pictures into different terms"
    return _change_claim(changes, text, undecided, "units, model_differences", meaning)


@finding("model_concepts", order=61, needs=(LayerRow, UnitRow))
def model_concepts(tables: Rows) -> Iterator[Claim]:
    """For the first pairs of models: how many concepts their last layers share."""
    for model_a, model_b, layers, units_a, units_b in _last_layers(tables):
        counts = [
            cluster_counts([row.label for row in units], [row.cluster for row in units]) for units in (units_a, units_b)
        ]
        names = [str(name) for name in dict.fromkeys([*counts[0], *counts[1]])]
        if names:
            first, second = ([of_model.get(name, 0) for name in names] for of_model in counts)
            yield _concept_claim(model_a, model_b, layers, names, first, second)


def _concept_claim(
    model_a: str, model_b: str, layers: str, names: Sequence[str], first: Sequence[int], second: Sequence[int]
) -> Claim:
    """How many concepts two models share, against the same clusters of units dealt out to them at random.

    `first`, `second`: in how many clusters of either model each of `names` is. Where none is in two of one model,
    dealing them out could only part what is shared, and nothing is tested.
    """
    rows = list(zip(names, first, second, strict=True))
    only_a, only_b = [row for row in rows if row[1] and not row[2]], [row for row in rows if row[2] and not row[1]]
    both = len(names) - len(only_a) - len(only_b)
    parts = " and ".join(
        f"{len(only)} only in {model}" + (f" ({_most(only)})" if only else "")
        for only, model in ((only_a, model_a), (only_b, model_b))
    )
    opening = (
        f"Of the {counted(len(names), 'concept')} in {layers}, {both} {'is' if both == 1 else 'are'} in both models"
    )
    if max(*first, *second) == 1:
        return Claim(
            observed(
                f"{opening}, {parts}.",
                "each is that of one cluster of units, so whether chance would share more was not tested",
            ),
            statistic=SHARED,
            value=both / len(names),
            tables="units, model_differences",
        )
    expected, p_value = sharing_test(first, second)
    closing = f"{expected:.1f} if their units were dealt out at random), {parts}."
    return Claim(
        answer(
            supported=f"{opening} (fewer than {closing}",
            undecided=f"{opening} (not shown to be fewer than {closing}",
            meaning="what they know differs more than between two random parts of their units",
        ),
        hypotheses={"fewer": Hypothesis(p_value, sum(first) + sum(second), floors.none)},
        statistic=SHARED,
        value=both / len(names),
        test="permutation test: so few shared, clusters of units dealt out at random",
        tables="units, model_differences",
    )


Compared = tuple[str, str, str, list[UnitRow], list[UnitRow]]


def _last_layers(tables: Rows) -> Iterator[Compared]:
    """The first pairs of models: both names, how their last layers are called, and the units of either."""
    models = _units_by_layer(tables)
    pairs = [(a, b) for place, a in enumerate(models) for b in list(models)[place + 1 :]]
    for model_a, model_b in pairs[:PAIRS]:
        last_a, last_b = list(models[model_a])[-1], list(models[model_b])[-1]
        layers = last_a if last_a == last_b else f"their last layers ({last_a} and {last_b})"
        yield model_a, model_b, layers, models[model_a][last_a], models[model_b][last_b]


def _most(rows: Sequence[tuple[str, int, int]]) -> str:
    """The names with the most clusters of units."""
    ordered = [name for name, *_ in sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))]
    return ", ".join(ordered[:NAMED]) + (", …" if len(rows) > NAMED else "")


def _whole(rows: Sequence[LayerRow]) -> LayerRow | None:
    """The row that counts all layers."""
    return next((row for row in rows if row.layer is None), None)
