"""Which methods agree because of the picture, which pairs most and least, and which covers the true masks best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from lumiscope.counts import counted, first_few
from lumiscope.runs import AgreementRow, AgreementSummaryRow, ImageRow, JudgementRow, MapAgreementSummaryRow
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.compared_pairs import Pairs, agreement_by_image, compared_pairs
from lumiscope.study.findings.extremes import CHOSEN, EXTREME, extreme
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import beside_others, image_title, pair_title

PAIRING = "permutation of which images' masks belong together"
FOREIGN = "the masks show something else than its labels, so this tells where it looks, not whether that is right"
NAMED = 3  # pairs, or images, that a sentence spells out
NEEDS = (ImageRow, AgreementRow, AgreementSummaryRow, JudgementRow)


@finding("agreement", order=20, needs=NEEDS)
def agreement(tables: Rows) -> Iterator[Claim]:
    """How many pairs of methods share more than masks of different images do."""
    for pairs in compared_pairs(tables, with_truth=False):
        yield _beyond(
            pairs,
            "pairs of methods agree",
            "what these share comes from the picture, not from a habit of the methods such as the centre",
        )


@finding("most_agreement", order=21, needs=NEEDS)
def most_agreement(tables: Rows) -> Iterator[Claim]:
    """The pair that agrees most."""
    for pairs in compared_pairs(tables, with_truth=False):
        yield from _end(
            pairs, "which methods", "agree most", "pairs", "of all pairs, these two add least to each other"
        )


@finding("least_agreement", order=22, needs=NEEDS)
def least_agreement(tables: Rows) -> Iterator[Claim]:
    """The pair that agrees least."""
    for pairs in compared_pairs(tables, with_truth=False):
        meaning = "who shows a single method should not choose between these two unseen"
        yield from _end(pairs, "which methods", "agree least", "pairs", meaning, highest=False)


@finding("true_masks", order=30, needs=NEEDS)
def true_masks(tables: Rows) -> Iterator[Claim]:
    """How many methods overlap the true masks more than those of different images."""
    for pairs in compared_pairs(tables, with_truth=True):
        meaning = FOREIGN if pairs.foreign else "they find the object, which does not prove that the model uses it"
        yield _beyond(pairs, "methods overlap the true masks", meaning, otherwise=FOREIGN if pairs.foreign else "")


@finding("best_cover", order=31, needs=NEEDS)
def best_cover(tables: Rows) -> Iterator[Claim]:
    """The method that covers the true masks best."""
    for pairs in compared_pairs(tables, with_truth=True):
        verb = "overlaps the true masks most" if pairs.foreign else "covers the true masks best"
        meaning = FOREIGN if pairs.foreign else "where the object counts, this is the one to show first"
        yield from _end(pairs, "which method", verb, "methods", meaning)


def _beyond(pairs: Pairs, what: str, meaning: str, otherwise: str = "") -> Claim:
    rows = pairs.rows
    images = max(row.images for row in rows.values())
    beyond = f"{what} beyond what masks of different images share"

    def text(shown: list[str]) -> str:
        others = [name for name in rows if name not in shown]
        rest = f" It is not shown of {_listed(pairs, others)}." if others else ""
        return f"{pairs.model}: {len(shown)} of {len(rows)} {beyond}: {_listed(pairs, shown)}.{rest}"

    known = [value for of_images in pairs.excess.values() for value in of_images.values()]
    return Claim(
        answer(
            supported=text,
            undecided=f"{pairs.model}: 0 of {len(rows)} {beyond}; with {counted(images, 'image')} it is not shown of "
            f"{_listed(pairs, list(rows))}.",
            cannot_tell=f"{pairs.model}: whether {beyond} cannot be told with {counted(images, 'image')}.",
            meaning=meaning,
            otherwise=otherwise,
        ),
        hypotheses={
            name: Hypothesis(row.p_value, row.images, floors.pairings_in(pairs.groups.labels(pairs.excess[name])))
            for name, row in rows.items()
        },
        statistic="mean IoU less that of different images",
        value=math.fsum(known) / len(known) if known else math.nan,
        test=PAIRING,
        images=images,
        tables="agreement, agreement_summary",
    )


def _listed(pairs: Pairs, names: Sequence[str]) -> str:
    return first_few([beside_others(name, pairs.rows[name]) for name in names], NAMED)


def _end(pairs: Pairs, who: str, verb: str, kind: str, meaning: str, *, highest: bool = True) -> Iterator[Claim]:
    """The pair at one end, where there are several."""
    end = extreme(pairs.excess, highest=highest, groups=pairs.groups, bounds=(-1, 1))
    if end is None:
        return
    row = pairs.rows[end.name]
    numbers = f"mean IoU {row.iou:.2f}, on different images {row.other_images:.2f}"
    place = "first" if highest else "last"
    comes = f"{end.name} {'come' if kind == 'pairs' else 'comes'} {place} of {end.candidates} {kind}"
    yield Claim(
        answer(
            supported=f"{pairs.model}: {end.name} {verb}: {numbers}.",
            undecided=f"{pairs.model}: {who} {verb} is not shown: {comes} ({numbers}), as some would even if all were "
            "alike.",
            cannot_tell=f"{pairs.model}: {who} {verb} cannot be told with {counted(end.images, 'image')}.",
            meaning=meaning,
        ),
        hypotheses={end.name: end.test},
        statistic="IoU less that of different images",
        value=end.value,
        low=end.low,
        high=end.high,
        test=f"{EXTREME}; {CHOSEN}",
        images=end.images,
        tables="agreement, agreement_summary",
    )


@finding("agreement_without_habit", order=23, needs=(ImageRow, MapAgreementSummaryRow))
def agreement_without_habit(tables: Rows) -> Iterator[Claim]:
    """Which pairs agree on more than the centre and the picture's edges."""
    labels = groups_of(tables).labels(row.image for row in tables.rows(ImageRow))
    for model, rows in by_model(tables.rows(MapAgreementSummaryRow)).items():
        pairs = {pair_title(row.method_a, row.method_b): row for row in rows if not math.isnan(row.p_value)}
        if pairs:
            yield _without_habit(model, pairs, floors.pairings_in(labels))


def _without_habit(model: str, pairs: dict[str, MapAgreementSummaryRow], floor: Callable[[int], float]) -> Claim:
    images = max(row.images for row in pairs.values())
    beyond = "agree on what centre and edges, taken out, leave of their maps, more than on different images"

    def told(names: Sequence[str]) -> str:
        return first_few([f"{name} ({pairs[name].partial:.2f} of {pairs[name].cells:.2f})" for name in names], NAMED)

    highest = max(pairs.values(), key=lambda row: row.partial)
    what = "rank correlation that is left"
    return Claim(
        answer(
            supported=lambda shown: (
                f"{model}: {len(shown)} of {len(pairs)} pairs of methods {beyond}; {what}: {told(shown)}."
            ),
            undecided=f"{model}: that pairs of methods {beyond} is not shown; {what}: {told(list(pairs))}.",
            cannot_tell=f"{model}: whether pairs of methods {beyond} cannot be told with {counted(images, 'image')}.",
            meaning="that is more than a habit of the centre; edges of another grain could still explain it",
        ),
        hypotheses={name: Hypothesis(row.p_value, row.images, floor) for name, row in pairs.items()},
        statistic="highest partial rank correlation",
        value=highest.partial,
        test=PAIRING.replace("masks", "maps"),
        images=images,
        tables="map_agreement_summary",
    )


@finding("disagreed_images", order=28, needs=NEEDS)
def disagreed_images(tables: Rows) -> Iterator[Claim]:
    """The images on which the methods disagree most."""
    for model, agreement in agreement_by_image(tables).items():
        if len(agreement) > NAMED:
            yield _disagreement(model, agreement)


def _disagreement(model: str, agreement: Mapping[str, float]) -> Claim:
    """`agreement`: image -> IoU beside that of the same methods on average; compared as a sentence writes it."""
    written = {image: round(value, 2) for image, value in agreement.items()}
    below = [image for image in sorted(agreement, key=lambda image: agreement[image]) if written[image] < 0]
    named = below[:NAMED]
    told = ", ".join(f"{image_title(image)} ({written[image]:+.2f})" for image in named)
    alike = sum(written[image] == written[named[-1]] for image in below[NAMED:])
    more = f" and {alike} more as much as on the last" if alike else ""
    beside = "IoU beside that of the same methods on average"
    of_images = f"{model}: of {len(agreement)} images"
    text = (
        f"{of_images}, methods disagree most on {told}{more}; {beside}."
        if named
        else (f"{of_images}, methods disagree on none more than on the others: {beside} is nowhere below 0.00.")
    )
    return Claim(
        observed(text, "there it matters most which method one shows" if named else ""),
        statistic="lowest IoU less the mean",
        value=min(agreement.values()),
        images=len(agreement),
        tables="agreement",
        named_images=named,
    )
