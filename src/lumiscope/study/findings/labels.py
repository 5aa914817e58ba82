"""Sentences about the labels of units: how many there are, what they are worth, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import stats

from lumiscope.concepts import CATEGORIES
from lumiscope.p_values import p_equation
from lumiscope.runs import (
    ALPHA,
    CATEGORY,
    CONCEPT,
    NO_LABEL,
    CategoryRow,
    ConceptCountRow,
    FindingRow,
    LayerRow,
    ModelDifferenceRow,
    Reason,
    UnitRow,
)
from lumiscope.statistics import difference_interval, share_test, sharing_test
from lumiscope.study.findings._claim import by_model, claim
from lumiscope.study.stage import Tables

NAMED = 3  # concepts that a sentence spells out
PAIRS = 3  # pairs of models that get sentences; the tables have all


def labels(tables: Tables, fdr: float | None = None) -> Iterator[FindingRow]:
    """Sentences from the tables of a dissection. `fdr`: the rate at which labels were tested; 1: they were not."""
    yield from _labelled(tables.rows(LayerRow), tables.rows(ConceptCountRow), fdr)
    yield from _heldout(tables.rows(UnitRow))
    yield from _depth(tables.rows(LayerRow), tables.rows(CategoryRow))
    yield from _differences(tables.rows(ModelDifferenceRow))


def _labelled(layers: Iterable[LayerRow], counts: Sequence[ConceptCountRow], fdr: float | None) -> Iterator[FindingRow]:
    """How many units of each model have a label, which, and what refused the others one."""
    for model, rows in by_model(layers).items():
        whole = _whole(rows)
        if whole is None or not whole.units:
            continue
        of_model = [row for row in counts if row.model == model and row.layer is None]
        named = ", ".join(f"{row.concept} ({row.units})" for row in of_model[:NAMED] if row.units)
        where = f"{len(rows) - 1} layers" if len(rows) > 2 else "one layer"
        untested = fdr is not None and fdr >= 1
        rate = f" at a false discovery rate of {fdr:.0%}" if fdr is not None and not untested else ""
        kinds = {reason: getattr(whole, reason.column) for reason in Reason}
        refused = ", ".join(f"{count} {reason}" for reason, count in kinds.items() if count)
        yield claim(
            f"{model}: {whole.labelled} of {whole.units} units in {where} got a label{rate}"
            + (f"; the most frequent: {named}." if named else ".")
            + (f" The others are left without one: {refused}." if refused else "")
            + (" Labels were not tested against chance." if untested else ""),
            statistic="share of units with a label",
            value=whole.share,
            low=whole.low,
            high=whole.high,
            test="95 % Wilson interval" + ("; Benjamini and Hochberg over the units of each layer" if rate else ""),
            tables="layers, concept_counts",
        )


def _heldout(units: Iterable[UnitRow]) -> Iterator[FindingRow]:
    """What labels predict on images that had no part in choosing them."""
    for model, rows in by_model(units).items():
        known = [row.heldout_correlation for row in rows if row.label is not None]
        values = np.array([value for value in known if math.isfinite(value)])
        if not values.size:
            continue
        test = stats.quantile_test(values, q=0, p=0.5, alternative="two-sided")
        interval = test.confidence_interval(0.95)
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
        hedge = "" if test.pvalue < ALPHA else ", which chance could explain"
        yield claim(
            f"{model}: on held-out probing images the activations of labelled units correlate with their concept at a "
            f"median of {median:.2f}{hedge} (middle half of the units: {low:.2f} to {high:.2f}; 1 would be perfect).",
            statistic="median held-out correlation",
            value=float(median),
            low=float(interval.low),
            high=float(interval.high),
            test=f"sign test against 0 over {values.size} units; 95 % interval of the median",
            p_value=float(test.pvalue),
            tables="units",
        )


def _depth(layers: Iterable[LayerRow], categories: Sequence[CategoryRow]) -> Iterator[FindingRow]:
    """The category whose share changes most between the first and the last layer of each model."""
    for model, rows in by_model(layers).items():
        rows = [row for row in rows if row.layer is not None]
        if len(rows) < 2:
            continue
        first, last = rows[0], rows[-1]
        counts = {(row.layer, row.category): row.units for row in categories if row.model == model}
        # A category without units at both ends could never be found to change: no test to correct for (Tarone 1990).
        here = {name for (layer, name), units in counts.items() if units and layer in (first.layer, last.layer)}
        known = [category for category in CATEGORIES if category in here and category != "other"]
        if not known:
            continue

        def change(
            category: str,
            counts: dict[tuple[str | None, str], int] = counts,
            first: LayerRow = first,
            last: LayerRow = last,
        ) -> float:
            return counts[last.layer, category] / last.units - counts[first.layer, category] / first.units

        biggest = max(known, key=lambda category: abs(change(category)))
        start, end = ((counts[row.layer, biggest], row.units) for row in (first, last))
        yield _depth_claim(model, biggest, first.layer, last.layer, start, end, len(known))


def _depth_claim(
    model: str,
    category: str,
    first: str | None,
    last: str | None,
    start: tuple[int, int],
    end: tuple[int, int],
    tests: int,
) -> FindingRow:
    p_value = min(1.0, share_test(start, end) * tests)
    low, high = difference_interval(start, end)
    shares = [n / total for n, total in (start, end)]
    counted = f"{tests} categories" if tests > 1 else "one category"
    ends = f"from {shares[0]:.0%} of the units in {first} to {shares[1]:.0%} in {last}"
    verb = "grow" if shares[1] > shares[0] else "fade"
    return claim(
        f"{model}: labels of the category {category} {verb} with depth, {ends}."
        if p_value < ALPHA
        else f"{model}: no change with depth is shown. It is largest in the category {category}, {ends}, which chance "
        "could explain.",
        statistic="difference of shares",
        value=shares[1] - shares[0],
        low=low,
        high=high,
        test=f"Fisher's exact test between these two layers, Bonferroni over their {counted}; Newcombe's 95 % interval",
        p_value=p_value,
        tables="categories",
    )


def _differences(differences: Iterable[ModelDifferenceRow]) -> Iterator[FindingRow]:
    """For the first pairs of models: the category and the concepts in which their last layers differ."""
    pairs: dict[tuple[str, str], list[ModelDifferenceRow]] = {}
    for row in differences:
        if row.layer_a is not None:
            pairs.setdefault((row.model_a, row.model_b), []).append(row)
    for rows in list(pairs.values())[:PAIRS]:
        last = [row for row in rows if (row.layer_a, row.layer_b) == (rows[-1].layer_a, rows[-1].layer_b)]
        categories = [row for row in last if row.kind == CATEGORY and row.name != NO_LABEL]
        concepts = [row for row in last if row.kind == CONCEPT]
        if categories:
            yield _category_difference(categories)
        if concepts:
            yield _concept_difference(concepts)


def _category_difference(rows: Sequence[ModelDifferenceRow]) -> FindingRow:
    top = rows[0]
    shares = (top.units_a / top.of_a, top.units_b / top.of_b)
    hedge = "" if top.p_adjusted < ALPHA else ", which chance could explain"
    return claim(
        f"{top.model_a} and {top.model_b} differ most in the category {top.name}: {shares[0]:.0%} of the "
        f"units in {_layers(top)} against {shares[1]:.0%}{hedge}.",
        statistic="difference of shares",
        value=top.difference,
        low=top.low,
        high=top.high,
        test="Fisher's exact test, Holm over all categories; Newcombe's 95 % interval",
        p_value=top.p_adjusted,
        tables="model_differences",
    )


def _concept_difference(rows: Sequence[ModelDifferenceRow]) -> FindingRow:
    """How many concepts two models share, against the same units dealt out to them at random."""
    top = rows[0]
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
    hedge = "" if p_value < ALPHA else "not clearly fewer than "
    certain = f" Most different: {_told(top)}." if top.p_adjusted < ALPHA else ""
    return claim(
        f"Of the {len(rows)} concepts in {_layers(top)}, {both} {'is' if both == 1 else 'are'} in both models "
        f"({hedge}{expected:.1f} if their units were dealt out at random), {parts[0]} and {parts[1]}.{certain}",
        statistic="share of concepts in both models",
        value=both / len(rows),
        test="permutation test: so few shared, units dealt out at random",
        p_value=p_value,
        tables="model_differences",
    )


def _most(rows: Sequence[ModelDifferenceRow], counts: Sequence[int]) -> str:
    """The names with the most units."""
    ordered = sorted(zip(rows, counts, strict=True), key=lambda pair: (-pair[1], pair[0].name))
    named = [row.name for row, _ in ordered[:NAMED]]
    return ", ".join(named) + (", …" if len(rows) > NAMED else "")


def _told(row: ModelDifferenceRow) -> str:
    p_value = p_equation(row.p_adjusted)
    return (
        f"{row.name}, {row.units_a} of {row.of_a} units against {row.units_b} of {row.of_b} "
        f"(Fisher's exact test, Holm: {p_value})"
    )


def _layers(row: ModelDifferenceRow) -> str:
    if row.layer_a == row.layer_b:
        return str(row.layer_a)
    return f"their last layers ({row.layer_a} and {row.layer_b})"


def _whole(rows: Sequence[LayerRow]) -> LayerRow | None:
    """The row that counts all layers."""
    return next((row for row in rows if row.layer is None), None)
