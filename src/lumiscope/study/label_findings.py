"""Sentences about the labels of units: how many there are, what they are worth, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from lumiscope.concepts import CATEGORIES
from lumiscope.dissection.model_differences import CATEGORY, CONCEPT
from lumiscope.dissection.summary import NO_LABEL, REASONS
from lumiscope.statistics.proportions import difference_interval, share_test
from lumiscope.statistics.sharing import sharing_test
from lumiscope.study.claim import Row, by_model, claim

ALPHA = 0.05
NAMED = 3  # concepts that a sentence spells out
PAIRS = 3  # pairs of models that get sentences; the tables have all


def label_findings(tables: Mapping[str, pa.Table], fdr: float | None = None) -> Iterator[Row]:
    """Sentences from the tables of a dissection. `fdr`: the rate at which labels were tested; 1: they were not."""
    yield from _labelled(tables["layers"], tables["concept_counts"], fdr)
    yield from _heldout(tables["units"])
    yield from _depth(tables["layers"], tables["categories"])
    yield from _differences(tables["model_differences"])


def _labelled(layers: pa.Table, counts: pa.Table, fdr: float | None) -> Iterator[Row]:
    """How many units of each model have a label, which, and what refused the others one."""
    for model, rows in by_model(layers).items():
        whole = _whole(rows)
        if whole is None or not whole["units"]:
            continue
        of_model = [row for row in counts.to_pylist() if row["model"] == model and row["layer"] is None]
        named = ", ".join(f"{row['concept']} ({row['units']})" for row in of_model[:NAMED] if row["units"])
        where = f"{len(rows) - 1} layers" if len(rows) > 2 else "one layer"
        untested = fdr is not None and fdr >= 1
        rate = f" at a false discovery rate of {fdr:.0%}" if fdr is not None and not untested else ""
        kinds = {reason: whole[reason.replace(" ", "_")] for reason in REASONS}
        refused = ", ".join(f"{count} {reason}" for reason, count in kinds.items() if count)
        yield claim(
            f"{model}: {whole['labelled']} of {whole['units']} units in {where} got a label{rate}"
            + (f"; the most frequent: {named}." if named else ".")
            + (f" The others are left without one: {refused}." if refused else "")
            + (" Labels were not tested against chance." if untested else ""),
            statistic="share of units with a label",
            value=whole["share"],
            low=whole["low"],
            high=whole["high"],
            test="95 % Wilson interval" + ("; Benjamini and Hochberg over the units of each layer" if rate else ""),
            tables="layers, concept_counts",
        )


def _heldout(units: pa.Table) -> Iterator[Row]:
    """What labels predict on images that had no part in choosing them."""
    for model, rows in by_model(units.select(["model", "label", "heldout_correlation"])).items():
        known = [row["heldout_correlation"] for row in rows if row["label"] is not None]
        values = np.array([value for value in known if value is not None and math.isfinite(value)])
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


def _depth(layers: pa.Table, categories: pa.Table) -> Iterator[Row]:
    """The category whose share changes most between the first and the last layer of each model."""
    for model, rows in by_model(layers).items():
        rows = [row for row in rows if row["layer"] is not None]
        if len(rows) < 2:
            continue
        first, last = rows[0], rows[-1]
        counts = {
            (row["layer"], row["category"]): row["units"] for row in categories.to_pylist() if row["model"] == model
        }
        # A category without units at both ends could never be found to change: no test to correct for (Tarone 1990).
        here = {name for (layer, name), units in counts.items() if units and layer in (first["layer"], last["layer"])}
        known = [category for category in CATEGORIES if category in here and category != "other"]
        if not known:
            continue

        def change(category: str, counts: dict[tuple[str, str], int] = counts, ends: Any = (first, last)) -> float:
            start, end = (counts[row["layer"], category] / row["units"] for row in ends)
            return float(end - start)

        biggest = max(known, key=lambda category: abs(change(category)))
        start, end = ((counts[row["layer"], biggest], row["units"]) for row in (first, last))
        yield _depth_claim(model, biggest, first["layer"], last["layer"], start, end, len(known))


def _depth_claim(
    model: str, category: str, first: str, last: str, start: tuple[int, int], end: tuple[int, int], tests: int
) -> Row:
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


def _differences(table: pa.Table) -> Iterator[Row]:
    """For the first pairs of models: the category and the concepts in which their last layers differ."""
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in table.to_pylist():
        if row["layer_a"] is not None:
            pairs.setdefault((row["model_a"], row["model_b"]), []).append(row)
    for rows in list(pairs.values())[:PAIRS]:
        last = [row for row in rows if (row["layer_a"], row["layer_b"]) == (rows[-1]["layer_a"], rows[-1]["layer_b"])]
        categories = [row for row in last if row["kind"] == CATEGORY and row["name"] != NO_LABEL]
        concepts = [row for row in last if row["kind"] == CONCEPT]
        if categories:
            yield _category_difference(categories)
        if concepts:
            yield _concept_difference(concepts)


def _category_difference(rows: list[Row]) -> Row:
    top = rows[0]
    shares = (top["units_a"] / top["of_a"], top["units_b"] / top["of_b"])
    hedge = "" if top["p_adjusted"] < ALPHA else ", which chance could explain"
    return claim(
        f"{top['model_a']} and {top['model_b']} differ most in the category {top['name']}: {shares[0]:.0%} of the "
        f"units in {_layers(top)} against {shares[1]:.0%}{hedge}.",
        statistic="difference of shares",
        value=top["difference"],
        low=top["low"],
        high=top["high"],
        test="Fisher's exact test, Holm over all categories; Newcombe's 95 % interval",
        p_value=top["p_adjusted"],
        tables="model_differences",
    )


def _concept_difference(rows: list[Row]) -> Row:
    """How many concepts two models share, against the same units dealt out to them at random."""
    top = rows[0]
    expected, p_value = sharing_test([row["units_a"] for row in rows], [row["units_b"] for row in rows])
    only = [[row for row in rows if row[have] and not row[lack]] for have, lack in _SIDES]
    both = len(rows) - sum(map(len, only))
    parts = [
        f"{len(found)} only in {top[model]}" + (f" ({_most(found, units)})" if found else "")
        for found, model, units in zip(only, ("model_a", "model_b"), ("units_a", "units_b"), strict=True)
    ]
    hedge = "" if p_value < ALPHA else "not clearly fewer than "
    certain = f" Most different: {_told(top)}." if top["p_adjusted"] < ALPHA else ""
    return claim(
        f"Of the {len(rows)} concepts in {_layers(top)}, {both} {'is' if both == 1 else 'are'} in both models "
        f"({hedge}{expected:.1f} if their units were dealt out at random), {parts[0]} and {parts[1]}.{certain}",
        statistic="share of concepts in both models",
        value=both / len(rows),
        test="permutation test: so few shared, units dealt out at random",
        p_value=p_value,
        tables="model_differences",
    )


_SIDES = (("units_a", "units_b"), ("units_b", "units_a"))


def _most(rows: list[Row], units: str) -> str:
    named = [row["name"] for row in sorted(rows, key=lambda row: (-row[units], row["name"]))[:NAMED]]
    return ", ".join(named) + (", …" if len(rows) > NAMED else "")


def _told(row: Row) -> str:
    p_value = "p < 0.001" if row["p_adjusted"] < 0.001 else f"p = {row['p_adjusted']:.3f}"
    return (
        f"{row['name']}, {row['units_a']} of {row['of_a']} units against {row['units_b']} of {row['of_b']} "
        f"(Fisher's exact test, Holm: {p_value})"
    )


def _layers(row: Row) -> str:
    if row["layer_a"] == row["layer_b"]:
        return str(row["layer_a"])
    return f"their last layers ({row['layer_a']} and {row['layer_b']})"


def _whole(rows: list[Row]) -> Row | None:
    """The row that counts all layers."""
    return next((row for row in rows if row["layer"] is None), None)
