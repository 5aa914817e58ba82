"""Every pair of maps of one model, compared without masks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lumiscope.agreement.map_likeness import (
    TOP,
    CellMap,
    compare_maps_of_other_images,
    cross_likeness,
    partial_likeness,
    rank_likeness,
    segment_likeness,
    top_agreement,
    top_agreement_of_other_images,
)
from lumiscope.agreement.other_images import EACH_ALONE
from lumiscope.runs import ImageGroups, MapAgreementRow, MapAgreementSummaryRow
from lumiscope.statistics import Groups, known, mean_interval, mean_of_known, mean_of_others

Maps = Mapping[str, CellMap]
"""Method -> what is kept of its map of one image."""
OTHERS = "other_images"
TOPS = {f"top_{round(100 * share)}": share for share in TOP}


def compare_maps(model: str, image: str, maps: Maps) -> list[MapAgreementRow]:
    """Every pair of maps of one image, in order."""
    return [
        MapAgreementRow(
            model=model,
            image=image,
            method_a=a,
            method_b=b,
            cells=rank_likeness(maps[a], maps[b]),
            partial=partial_likeness(maps[a], maps[b]),
            segments=segment_likeness(maps[a], maps[b]),
            **{name: top_agreement(maps[a], maps[b], share) for name, share in TOPS.items()},
        )
        for a, b in itertools.combinations(maps, 2)
    ]


def summarise_maps(
    rows: Iterable[MapAgreementRow], images: Mapping[str, Maps], *, groups: ImageGroups = EACH_ALONE, seed: int = 0
) -> Iterator[MapAgreementSummaryRow]:
    """Means over the images of one model. `images`: image -> its maps. `groups`: which belong together."""
    pairs: dict[tuple[str, str], list[MapAgreementRow]] = {}
    for row in rows:
        pairs.setdefault((row.method_a, row.method_b), []).append(row)
    for (a, b), of_pair in pairs.items():
        names = [image for image, maps in images.items() if a in maps and b in maps]
        both, labels = [images[image] for image in names], groups.labels(names)
        ranks = cross_likeness([maps[a].ranks for maps in both], [maps[b].ranks for maps in both], labels, seed=seed)
        partial_others, p_value = compare_maps_of_other_images(
            [maps[a] for maps in both], [maps[b] for maps in both], labels, seed=seed
        )
        cells, partial = ([getattr(row, name) for row in of_pair] for name in ("cells", "partial"))
        yield MapAgreementSummaryRow(
            model=of_pair[0].model,
            method_a=a,
            method_b=b,
            images=len(known(cells)),
            cells=mean_of_known(cells),
            **dict(zip(("low", "high"), _interval(of_pair, "cells", groups, seed), strict=True)),
            other_images=mean_of_others([some.likeness for some in ranks]),
            partial=mean_of_known(partial),
            **dict(zip(("partial_low", "partial_high"), _interval(of_pair, "partial", groups, seed), strict=True)),
            partial_other_images=partial_others,
            p_value=p_value,
            segments=mean_of_known([row.segments for row in of_pair]),
            **{name: mean_of_known([getattr(row, name) for row in of_pair]) for name in TOPS},
            **{f"{name}_{OTHERS}": share for name, share in _top_of_others(both, a, b, labels, seed)},
        )


def _interval(rows: Iterable[MapAgreementRow], name: str, groups: ImageGroups, seed: int) -> tuple[float, float]:
    """Of the mean of a correlation over the images where it is defined."""
    values = {row.image: getattr(row, name) for row in rows if not math.isnan(getattr(row, name))}
    return mean_interval(list(values.values()), bounds=(-1, 1), groups=groups(values), seed=seed)


def _top_of_others(images: Sequence[Maps], a: str, b: str, labels: Groups, seed: int) -> Iterator[tuple[str, float]]:
    """Each share of the cells by name, with what the maps of different images have in common of them."""
    maps_a, maps_b = ([maps[method] for maps in images] for method in (a, b))
    for name, share in TOPS.items():
        yield name, top_agreement_of_other_images(maps_a, maps_b, share, labels, seed=seed)
