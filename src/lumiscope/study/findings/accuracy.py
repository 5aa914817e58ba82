"""How many images each model gets right."""

from __future__ import annotations

from collections.abc import Iterator

from lumiscope.runs import FindingRow, JudgementRow
from lumiscope.statistics import wilson_interval
from lumiscope.study.findings._claim import by_model, claim
from lumiscope.study.stage import Tables

NAMED = 5  # images that a sentence spells out


def accuracy(tables: Tables) -> Iterator[FindingRow]:
    """One sentence a model, about the images that have a label among its classes."""
    for model, rows in by_model(tables.rows(JudgementRow)).items():
        judged = {row.image: row.correct for row in rows if row.correct is not None}
        if not judged:
            continue
        right = sum(judged.values())
        low, high = wilson_interval(right, len(judged))
        wrong = [image for image, correct in judged.items() if not correct]
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        missed = f" It misses {', '.join(wrong[:NAMED])}{more}." if wrong else ""
        yield claim(
            f"{model} predicts the label of {right} of {len(judged)} labelled images.{missed}",
            statistic="accuracy",
            value=right / len(judged),
            low=low,
            high=high,
            test="95 % Wilson interval",
            images=len(judged),
            tables="judgements",
            named_images=wrong[:NAMED],
        )
