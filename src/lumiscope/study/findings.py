"""The sentences of the summary: each computed from a table, with its statistic, interval and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from lumiscope.agreement import GROUND_TRUTH
from lumiscope.attribution import METHODS
from lumiscope.statistics import holm
from lumiscope.statistics.proportions import wilson_interval
from lumiscope.study.claim import Row, by_model, claim
from lumiscope.study.label_findings import label_findings

NAMED = 5  # images that a sentence spells out


def find(tables: Mapping[str, pa.Table], fdr: float | None = None) -> list[Row]:
    """Every finding that the tables support, numbered.

    `tables`: as in the run folder. `fdr`: the false discovery rate at which labels were tested; 1: they were not.
    """
    claims = [
        *_accuracy(tables["explanations"]),
        *_overlaps(tables["agreement_summary"], tables["explanations"]),
        *label_findings(tables, fdr),
    ]
    return [{"number": number, **found} for number, found in enumerate(claims, 1)]


def _accuracy(explanations: pa.Table) -> Iterator[Row]:
    right: dict[str, dict[str, bool]] = {}
    for row in explanations.to_pylist():
        if row["correct"] is not None:
            right.setdefault(row["model"], {})[row["image"]] = row["correct"]
    for model, answers in right.items():
        low, high = wilson_interval(sum(answers.values()), len(answers))
        wrong = [image for image, answer in answers.items() if not answer]
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        missed = f" It misses {', '.join(wrong[:NAMED])}{more}." if wrong else ""
        yield claim(
            f"{model} predicts the label of {sum(answers.values())} of {len(answers)} labelled images.{missed}",
            statistic="accuracy",
            value=sum(answers.values()) / len(answers),
            low=low,
            high=high,
            test="95 % Wilson interval",
            images=len(answers),
            tables="explanations",
        )


def _overlaps(summary: pa.Table, explanations: pa.Table) -> Iterator[Row]:
    """Per model the pairs of methods that agree most and least, and the method that covers the true masks best.

    They are chosen among all pairs, so their p-values are corrected for all pairs (Holm).
    """
    foreign = models_with_foreign_masks(explanations)
    for model, rows in by_model(summary).items():
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
    title = METHODS[row["method_a"]].title
    if not foreign:
        return _iou_claim(row, f"{row['model']}: {title} covers the true masks best")
    found = _iou_claim(row, f"{row['model']}: {title} overlaps the true masks most")
    hedge = "The masks show something else than its labels, so this tells where it looks, not whether that is right."
    return {**found, "claim": f"{found['claim']} {hedge}"}


def _titles(pair: Row) -> str:
    return f"{METHODS[pair['method_a']].title} and {METHODS[pair['method_b']].title}"


def _iou_claim(row: Row, opening: str) -> Row:
    verdict = "above" if row["p_value"] < 0.05 else "not shown to be above"
    return claim(
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
