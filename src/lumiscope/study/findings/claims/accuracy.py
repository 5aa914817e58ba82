"""How many images each model gets right, and which labels look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lumiscope.counts import counted, first_few
from lumiscope.runs import ImageRow, JudgementRow, PredictionRow
from lumiscope.statistics import ClusteredShare, clustered_share_interval, wilson_interval
from lumiscope.study.findings.claim import Claim, Rows, by_model, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import image_title

NAMED = 5  # images that a sentence spells out
CONFIDENT = 0.9  # a probability from which on a mistake may be the label's


@finding("accuracy", order=10, needs=(ImageRow, JudgementRow))
def accuracy(tables: Rows) -> Iterator[Claim]:
    """One sentence a model, about the images that have a label among its classes."""
    for model, rows in by_model(tables.rows(JudgementRow)).items():
        judged = {row.image: row.correct for row in rows if row.correct is not None}
        if not judged:
            continue
        right = sum(judged.values())
        low, high = _interval(judged, groups_of(tables)(judged))
        wrong = [image for image, correct in judged.items() if not correct]
        missed = f" It misses {first_few(list(map(image_title, wrong)), NAMED)}." if wrong else ""
        yield Claim(
            observed(
                f"{model} predicts the label of {right} of {len(judged)} labelled images.{missed}",
                f"of others like these it may get {low:.0%} to {high:.0%} right",
            ),
            statistic="accuracy",
            value=right / len(judged),
            low=low,
            high=high,
            test="95 % Wilson interval, of classes where images share one",
            images=len(judged),
            tables="judgements",
            named_images=wrong[:NAMED],
        )


def _interval(judged: Mapping[str, bool], groups: Sequence[str]) -> tuple[float, float]:
    """Of the share that is right."""
    if len(set(groups)) == len(judged):
        return wilson_interval(sum(judged.values()), len(judged))
    return clustered_share_interval(ClusteredShare.of(list(judged.values()), groups))


@finding("doubtful_labels", order=11, needs=(JudgementRow, PredictionRow))
def doubtful_labels(tables: Rows) -> Iterator[Claim]:
    """The images of which a model is sure that they show something else than their label."""
    first = {(row.model, row.image): row for row in tables.rows(PredictionRow) if row.rank == 1}
    for model, rows in by_model(tables.rows(JudgementRow)).items():
        labelled = [row for row in rows if row.correct is not None and (model, row.image) in first]
        sure = [row for row in labelled if first[model, row.image].probability >= CONFIDENT]
        against = [row for row in sure if not row.correct]
        if not against:
            continue
        against.sort(key=lambda row: -first[model, row.image].probability)
        named = [
            f"{image_title(row.image)} ({first[model, row.image].short_name} "
            f"{first[model, row.image].probability:.2f}, labelled {row.label_short_name})"
            for row in against
        ]
        yield Claim(
            observed(
                f"{model} is at least {CONFIDENT:.0%} sure of another class than the label on {len(against)} of "
                f"{len(labelled)} labelled images: {first_few(named, NAMED)}.",
                f"{len(sure) - len(against)} of {counted(len(sure), 'image')} that it is as sure of have its label; "
                "whether the label or the model is wrong on the others was not looked at",
            ),
            statistic="share of labelled images",
            value=len(against) / len(labelled),
            images=len(labelled),
            tables="judgements, predictions",
            named_images=[row.image for row in against[:NAMED]],
        )
