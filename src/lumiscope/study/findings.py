"""The sentences of the summary: each computed from a table, with its statistic, interval and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from lumiscope.agreement import GROUND_TRUTH
from lumiscope.attribution import get_method
from lumiscope.concepts import CATEGORIES
from lumiscope.statistics import holm

Row = dict[str, Any]
NAMED = 5  # images that a sentence spells out


def find(tables: Mapping[str, pa.Table]) -> list[Row]:
    """Every finding that the tables support, numbered. `tables`: as in the run folder."""
    claims = [
        *_accuracy(tables["explanations"]),
        *_overlaps(tables["agreement_summary"], tables["explanations"]),
        *_concepts(tables["layers"], tables["concept_counts"]),
        *_depth(tables["layers"], tables["categories"]),
    ]
    return [{"number": number, **claim} for number, claim in enumerate(claims, 1)]


def _accuracy(explanations: pa.Table) -> Iterator[Row]:
    right: dict[str, dict[str, bool]] = {}
    for row in explanations.to_pylist():
        if row["correct"] is not None:
            right.setdefault(row["model"], {})[row["image"]] = row["correct"]
    for model, answers in right.items():
        test = stats.binomtest(sum(answers.values()), len(answers))
        interval = test.proportion_ci(method="wilson")
        wrong = [image for image, answer in answers.items() if not answer]
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        missed = f" It misses {', '.join(wrong[:NAMED])}{more}." if wrong else ""
        yield _claim(
            f"{model} predicts the label of {sum(answers.values())} of {len(answers)} labelled images.{missed}",
            statistic="accuracy",
            value=test.statistic,
            low=interval.low,
            high=interval.high,
            test="95 % Wilson interval",
            images=len(answers),
            tables="explanations",
        )


def _overlaps(summary: pa.Table, explanations: pa.Table) -> Iterator[Row]:
    """Per model the pairs of methods that agree most and least, and the method that covers the true masks best.

    They are chosen among all pairs, so their p-values are corrected for all pairs (Holm).
    """
    foreign = models_with_foreign_masks(explanations)
    for model, rows in _by_model(summary).items():
        corrected = holm(np.array([row["p_value"] for row in rows], np.float64))
        rows = [{**row, "p_value": float(p)} for row, p in zip(rows, corrected, strict=True) if row["images"]]
        pairs = [row for row in rows if row["method_b"] != GROUND_TRUTH]
        against_truth = [row for row in rows if row["method_b"] == GROUND_TRUTH]
        if pairs:
            yield _iou_claim(pairs[0], f"{model}: {_titles(pairs[0])} agree most")
        if len(pairs) > 1:
            yield _iou_claim(pairs[-1], f"{model}: {_titles(pairs[-1])} agree least")
        if against_truth:
            yield _truth_claim(against_truth[0], foreign=model in foreign)


def models_with_foreign_masks(explanations: pa.Table) -> set[str]:
    """The models for which every true mask shows something else than the label."""
    shows = [(row["model"], row["mask_shows_label"]) for row in explanations.to_pylist()]
    return {model for model, shown in shows if shown is False} - {model for model, shown in shows if shown}


def _truth_claim(row: Row, *, foreign: bool) -> Row:
    title = get_method(row["method_a"]).title
    if not foreign:
        return _iou_claim(row, f"{row['model']}: {title} covers the true masks best")
    claim = _iou_claim(row, f"{row['model']}: {title} overlaps the true masks most")
    hedge = "The masks show something else than its labels, so this tells where it looks, not whether that is right."
    return {**claim, "claim": f"{claim['claim']} {hedge}"}


def _titles(pair: Row) -> str:
    return f"{get_method(pair['method_a']).title} and {get_method(pair['method_b']).title}"


def _iou_claim(row: Row, opening: str) -> Row:
    verdict = "above" if row["p_value"] < 0.05 else "not shown to be above"
    return _claim(
        f"{opening}: mean IoU {row['iou']:.2f}, {verdict} the {row['chance']:.2f} of masks of these areas placed at "
        f"random; areas alone allow {row['ceiling']:.2f} at most.",
        statistic="mean IoU",
        value=row["iou"],
        low=row["low"],
        high=row["high"],
        test="95 % bootstrap interval over images; sign-flip permutation test against chance, Holm over all pairs",
        p_value=row["p_value"],
        images=row["images"],
        tables="agreement_summary",
    )


def _concepts(layers: pa.Table, counts: pa.Table) -> Iterator[Row]:
    for model, rows in _by_model(layers).items():
        units, labelled = sum(row["units"] for row in rows), sum(row["labelled"] for row in rows)
        top = [row for row in counts.to_pylist() if row["model"] == model and row["layer"] is None][:3]
        if not top:
            continue
        named = ", ".join(f"{row['concept']} ({row['units']})" for row in top)
        where = f"{len(rows)} layers" if len(rows) > 1 else "one layer"
        yield _claim(
            f"{model}: {labelled} of {units} units in {where} got a label; the most frequent: {named}. "
            "Labels are not tested against chance.",
            statistic="share of units with a label",
            value=labelled / units,
            tables="layers, concept_counts",
        )


def _depth(layers: pa.Table, categories: pa.Table) -> Iterator[Row]:
    """The category whose share changes most between the first and the last layer of each model."""
    for model, rows in _by_model(layers).items():
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
        ends = [(counts[row["layer"], biggest], row["units"]) for row in (first, last)]
        p_value = min(1.0, float(stats.fisher_exact([[n, total - n] for n, total in ends])[1]) * len(known))
        shares = [n / total for n, total in ends]
        counted = f"{len(known)} categories" if len(known) > 1 else "one category"
        verb = "grow" if shares[1] > shares[0] else "fade"
        hedge = "" if p_value < 0.05 else ", a change that chance could explain"
        yield _claim(
            f"{model}: units labelled with a concept of the category {biggest} {verb} with depth, from {shares[0]:.0%} "
            f"in {first['layer']} to {shares[1]:.0%} in {last['layer']}{hedge}.",
            statistic="difference of shares",
            value=shares[1] - shares[0],
            test=f"Fisher's exact test between these two layers, Bonferroni over their {counted}",
            p_value=p_value,
            tables="categories",
        )


def _by_model(table: pa.Table) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row["model"], []).append(row)
    return found


def _claim(
    claim: str,
    *,
    statistic: str,
    value: float,
    tables: str,
    test: str | None = None,
    low: float | None = None,
    high: float | None = None,
    p_value: float | None = None,
    images: int | None = None,
) -> Row:
    return {
        "claim": claim,
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
        "test": test,
        "p_value": p_value,
        "images": images,
        "tables": tables,
    }
