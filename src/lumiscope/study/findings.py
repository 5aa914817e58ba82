"""The sentences of the summary: each computed from a table, with its statistic, interval and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from lumiscope.agreement import GROUND_TRUTH
from lumiscope.concepts import CATEGORIES
from lumiscope.statistics import holm

Row = dict[str, Any]


def find(tables: Mapping[str, pa.Table]) -> list[Row]:
    """Every finding that the tables support, numbered. `tables`: as in the run folder."""
    claims = [
        *_accuracy(tables["explanations"]),
        *_overlaps(tables["agreement_summary"]),
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
        missed = f" It misses {', '.join(wrong[:6])}{', …' if len(wrong) > 6 else ''}." if wrong else ""
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


def _overlaps(summary: pa.Table) -> Iterator[Row]:
    """Per model the pairs of methods that agree most and least, and the method that covers the true masks best.

    They are chosen among all pairs, so their p-values are corrected for all pairs (Holm).
    """
    for model, rows in _by_model(summary).items():
        corrected = holm(np.array([row["p_value"] for row in rows], np.float64))
        rows = [{**row, "p_value": float(p)} for row, p in zip(rows, corrected, strict=True) if row["images"]]
        pairs = [row for row in rows if row["method_b"] != GROUND_TRUTH]
        against_truth = [row for row in rows if row["method_b"] == GROUND_TRUTH]
        if pairs:
            yield _iou_claim(pairs[0], f"{model}: {pairs[0]['method_a']} and {pairs[0]['method_b']} agree most")
        if len(pairs) > 1:
            yield _iou_claim(pairs[-1], f"{model}: {pairs[-1]['method_a']} and {pairs[-1]['method_b']} agree least")
        if against_truth:
            yield _iou_claim(against_truth[0], f"{model}: {against_truth[0]['method_a']} covers the true masks best")


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
        yield _claim(
            f"{model}: {labelled} of {units} units in {len(rows)} layers got a label; the most frequent: {named}. "
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
        known = [category for category in CATEGORIES if category != "other"]

        def change(category: str, counts: dict[tuple[str, str], int] = counts, ends: Any = (first, last)) -> float:
            start, end = (counts[row["layer"], category] / row["units"] for row in ends)
            return float(end - start)

        biggest = max(known, key=lambda category: abs(change(category)))
        ends = [(counts[row["layer"], biggest], row["units"]) for row in (first, last)]
        p_value = min(1.0, float(stats.fisher_exact([[n, total - n] for n, total in ends])[1]) * len(known))
        shares = [n / total for n, total in ends]
        verb = "grow" if shares[1] > shares[0] else "fade"
        hedge = "" if p_value < 0.05 else ", a change that chance could explain"
        yield _claim(
            f"{model}: units labelled with a concept of the category {biggest} {verb} with depth, from {shares[0]:.0%} "
            f"in {first['layer']} to {shares[1]:.0%} in {last['layer']}{hedge}.",
            statistic="difference of shares",
            value=shares[1] - shares[0],
            test=f"Fisher's exact test between the first and the last layer, Bonferroni over {len(known)} categories",
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
