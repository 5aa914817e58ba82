"""Whether models look at the same places, and how their maps differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from lumiscope.counts import counted
from lumiscope.runs import ImageGroups, ImageRow, MapShapeRow, ModelAgreementRow
from lumiscope.statistics import sign_flip_test
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import beside_others, method_title

PAIRS = 3  # pairs of models that get sentences; the tables have all


@finding("same_places", order=45, needs=(ImageRow, ModelAgreementRow))
def same_places(tables: Rows) -> Iterator[Claim]:
    """Whether two models look at the same places of an image, beyond those that both look at in any."""
    pairs: dict[tuple[str, str], dict[str, ModelAgreementRow]] = {}
    for row in tables.rows(ModelAgreementRow):
        if row.images:
            pairs.setdefault((row.model_a, row.model_b), {})[method_title(row.method)] = row
    labels = groups_of(tables).labels(row.image for row in tables.rows(ImageRow))
    for (model_a, model_b), rows in list(pairs.items())[:PAIRS]:
        yield _same_places(model_a, model_b, rows, floors.pairings_in(labels))


def _same_places(
    model_a: str, model_b: str, rows: dict[str, ModelAgreementRow], floor: Callable[[int], float]
) -> Claim:
    images = max(row.images for row in rows.values())
    beyond = f"{model_a} and {model_b} look at the same places of an image, beyond what different images share"

    def told(names: list[str]) -> str:
        return ", ".join(beside_others(name, rows[name]) for name in names)

    first = max(rows.values(), key=lambda row: row.iou - row.other_images)
    return Claim(
        answer(
            supported=lambda shown: f"{beyond}, by {told(shown)}.",
            undecided=f"That {beyond}, is not shown: {told(list(rows))}.",
            cannot_tell=f"Whether {beyond}, cannot be told with {counted(images, 'image')}.",
            meaning="to look at the same place is not yet to see the same thing",
            otherwise="",
        ),
        hypotheses={name: Hypothesis(row.p_value, row.images, floor) for name, row in rows.items()},
        statistic=f"mean IoU of {method_title(first.method)}",
        value=first.iou,
        test="permutation of which images' masks belong together",
        images=images,
        tables="model_agreement",
    )


@finding("model_extents", order=46, needs=(ImageRow, MapShapeRow))
def model_extents(tables: Rows) -> Iterator[Claim]:
    """By which methods the maps of one model are broader than those of another."""
    extents: dict[str, dict[str, dict[str, float]]] = {}
    for model, rows in by_model(tables.rows(MapShapeRow)).items():
        for row in rows:
            if not math.isnan(row.extent):
                extents.setdefault(model, {}).setdefault(method_title(row.method), {})[row.image] = row.extent
    names = list(extents)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    for model_a, model_b in pairs[:PAIRS]:
        differences = {
            method: {
                image: (extents[model_a][method][image], extents[model_b][method][image])
                for image in extents[model_a][method]
                if image in extents[model_b].get(method, {})
            }
            for method in extents[model_a]
        }
        shared = {method: of_images for method, of_images in differences.items() if of_images}
        if shared:
            yield _extents_claim(model_a, model_b, shared, groups_of(tables))


def _extents_claim(
    model_a: str, model_b: str, shared: dict[str, dict[str, tuple[float, float]]], groups: ImageGroups
) -> Claim:
    means = {
        method: [math.fsum(side) / len(of_images) for side in zip(*of_images.values(), strict=True)]
        for method, of_images in shared.items()
    }
    largest = max(means, key=lambda method: abs(means[method][0] - means[method][1]))
    images = max(map(len, shared.values()))

    def told(methods: list[str]) -> str:
        return ", ".join(f"{method} {means[method][0]:.0%} against {means[method][1]:.0%}" for method in methods)

    opening = f"{model_a} and {model_b}"
    return Claim(
        answer(
            supported=lambda shown: (
                f"{opening} look at regions of different extent; half of the weight is on so much "
                f"of the view: {told(shown)}."
            ),
            undecided=f"{opening}: that they look at regions of different extent is not shown; the difference is "
            f"largest by {told([largest])} of the view.",
            cannot_tell=f"{opening}: whether they look at regions of different extent cannot be told with "
            f"{counted(images, 'image')}.",
            meaning="the one with the larger share uses more of the picture, or knows less well what it needs",
        ),
        hypotheses={
            method: Hypothesis(
                sign_flip_test(
                    [a - b for a, b in of_images.values()], alternative="two-sided", groups=groups(of_images)
                ),
                groups.witnesses(of_images),
                floors.two_sided_sign_flips,
            )
            for method, of_images in shared.items()
        },
        statistic=f"difference of extent by {largest}",
        value=means[largest][0] - means[largest][1],
        test="paired sign-flip test, two-sided",
        images=images,
        tables="map_shapes",
    )
