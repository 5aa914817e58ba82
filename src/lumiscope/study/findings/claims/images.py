"""On which images the methods agree: simple ones, those that the model is sure of, those that it gets right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.runs import AgreementRow, AgreementSummaryRow, ImageComplexityRow, ImageGroups, ImageRow, JudgementRow
from lumiscope.statistics import RankCorrelation, rank_correlation, separation
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.compared_pairs import agreement_by_image
from lumiscope.study.findings.registry import finding

CONFIDENCE = "confidence"
MISTAKES = "mistakes"
AGREEMENT = (ImageRow, AgreementRow, AgreementSummaryRow, JudgementRow)
MEASURES = {
    "segments": "number of segments",
    "edges": "strength of edges",
    "compression": "size when compressed",
    "entropy": "entropy of grey values",
    "objects": "number of objects",
}


@dataclass(frozen=True)
class _Trend:
    """Of agreement with a measure, on so many images. `test`: that there is none."""

    correlation: RankCorrelation
    images: int
    test: Hypothesis


@finding("agreement_and_complexity", order=25, needs=(*AGREEMENT, ImageComplexityRow))
def agreement_and_complexity(tables: Rows) -> Iterator[Claim]:
    """Whether methods agree more on simple images."""
    complexity = {row.image: row for row in tables.rows(ImageComplexityRow)}
    groups = groups_of(tables)
    for model, agreement in agreement_by_image(tables).items():
        found = {}
        for measure, words in MEASURES.items():
            pairs = {
                image: (value, getattr(complexity[image], measure))
                for image, value in agreement.items()
                if image in complexity and not math.isnan(getattr(complexity[image], measure))
            }
            trend = _trend(pairs, groups)
            if trend is not None:
                found[words] = trend
        if found:
            yield _complexity_claim(model, found)


def _complexity_claim(model: str, found: Mapping[str, _Trend]) -> Claim:
    strongest = max(found, key=lambda words: abs(found[words].correlation.value))
    correlation, images = found[strongest].correlation, found[strongest].images
    rising = [words for words in found if found[words].correlation.value > 0]

    def told(shown: list[str]) -> str:
        return ", ".join(f"{words} {found[words].correlation.value:+.2f}" for words in shown)

    def text(shown: list[str]) -> str:
        against = [words for words in shown if words in rising]
        but = f"; but {told(against)}" if against else ""
        simple = told([words for words in shown if words not in rising])
        return f"{model}: methods agree more on simple images: rank correlation of their agreement with {simple}{but}."

    return Claim(
        answer(
            supported=text,
            contradicted={
                words: f"{model}: methods agree more on complex images: rank correlation of their agreement with "
                f"{told([words])}."
                for words in rising
            },
            undecided=f"{model}: that methods agree more, or less, on simple images is not shown; the rank correlation "
            f"of their agreement is strongest with {told([strongest])}.",
            cannot_tell=f"{model}: whether methods agree more on simple images cannot be told with "
            f"{counted(images, 'image')}.",
            meaning="agreement on easy pictures says little about hard ones",
            opposite="that a picture is simple is no reason to trust a single method there",
        ),
        hypotheses={words: trend.test for words, trend in found.items()},
        statistic=f"rank correlation with {strongest}",
        value=correlation.value,
        test="permutation of the images, two-sided",
        images=images,
        tables="agreement, image_complexity",
    )


@finding("agreement_and_confidence", order=26, needs=AGREEMENT)
def agreement_and_confidence(tables: Rows) -> Iterator[Claim]:
    """Whether methods agree more where the model is more confident."""
    judgements, groups = by_model(tables.rows(JudgementRow)), groups_of(tables)
    for model, agreement in agreement_by_image(tables).items():
        probability = {row.image: row.probability for row in judgements.get(model, ())}
        pairs = {
            image: (value, probability[image])
            for image, value in agreement.items()
            if not math.isnan(probability.get(image, math.nan))
        }
        trend = _trend(pairs, groups)
        if trend is None:
            continue
        correlation = trend.correlation
        number = f"rank correlation {correlation.value:+.2f}"
        opening = f"{model}: methods agree"
        less = {CONFIDENCE: f"{opening} less where it is more confident: {number}."} if correlation.value < 0 else {}
        yield Claim(
            answer(
                supported=f"{opening} more where it is more confident: {number}.",
                contradicted=less,
                undecided=f"{model}: that methods agree more, or less, where it is confident is not shown: {number}.",
                cannot_tell=f"{model}: whether methods agree more where it is confident cannot be told with "
                f"{counted(len(pairs), 'image')}.",
                meaning="disagreement is a hint at doubt",
                opposite="that it is confident is no reason to trust a single method there",
            ),
            hypotheses={CONFIDENCE: trend.test},
            statistic="rank correlation with the probability of the class",
            value=correlation.value,
            low=correlation.low,
            high=correlation.high,
            test="permutation of the images, two-sided; interval of Bonett and Wright",
            images=len(pairs),
            tables="agreement, judgements",
        )


@finding("disagreement_and_mistakes", order=27, needs=AGREEMENT)
def disagreement_and_mistakes(tables: Rows) -> Iterator[Claim]:
    """Whether disagreement between methods predicts that the model is wrong."""
    judgements, groups = by_model(tables.rows(JudgementRow)), groups_of(tables)
    for model, agreement in agreement_by_image(tables).items():
        correct = {row.image: row.correct for row in judgements.get(model, ()) if row.correct is not None}
        images = [image for image in agreement if image in correct]
        wrong = [not correct[image] for image in images]
        if not any(wrong) or all(wrong):
            continue
        share = sum(wrong) / len(wrong)
        labels = groups.labels(images)
        apart = separation([-agreement[image] for image in images], wrong, groups=labels)
        floor = floors.of_groups(labels, floors.two_groups(share))
        number = f"AUROC {apart.auroc:.2f}, {sum(wrong)} of {len(wrong)} images are wrong"
        opposite = {MISTAKES: f"{model}: methods agree more on images that it gets wrong: {number}."}
        yield Claim(
            answer(
                supported=f"{model}: methods disagree more on images that it gets wrong: {number}.",
                contradicted=opposite if apart.auroc < 0.5 else {},
                undecided=f"{model}: that disagreement between methods tells wrong predictions from right ones is not "
                f"shown: {number}.",
                cannot_tell=f"{model}: whether disagreement between methods tells wrong predictions from right ones "
                f"cannot be told with {sum(wrong)} wrong of {counted(len(wrong), 'image')}.",
                meaning="where the methods disagree, look at the prediction again",
                opposite="that the methods agree is no sign that it is right",
            ),
            hypotheses={MISTAKES: Hypothesis(apart.p_value, len(images), floor)},
            statistic="AUROC of disagreement for wrong predictions",
            value=apart.auroc,
            low=apart.low,
            high=apart.high,
            test="permutation of which images are wrong, two-sided; interval by Newcombe's method 5",
            images=len(images),
            tables="agreement, judgements",
        )


def _trend(pairs: Mapping[str, tuple[float, float]], groups: ImageGroups) -> _Trend | None:
    """None where it is undefined."""
    if len(pairs) < 2:
        return None
    first, second = zip(*pairs.values(), strict=True)
    labels = groups.labels(pairs)
    correlation = rank_correlation(first, second, groups=labels)
    floor = floors.of_groups(labels, floors.two_sided_ranks)
    if math.isnan(correlation.value):
        return None
    return _Trend(correlation, len(pairs), Hypothesis(correlation.p_value, len(pairs), floor))
