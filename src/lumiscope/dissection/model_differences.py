"""What differs between models: the concepts and categories that their units respond to."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lumiscope.dissection._clustered_units import Having, clustered_share, in_category
from lumiscope.dissection.unit_labels import LayerLabels, UnitLabels
from lumiscope.runs import ALPHA, CATEGORY, CONCEPT, NO_LABEL, ModelDifferenceRow
from lumiscope.statistics import (
    ClusteredShare,
    clustered_difference_interval,
    clustered_share_test,
    holm,
    share_test,
)

Side = tuple[str | None, Sequence[LayerLabels]]
"""A layer with its labels, or None with those of all layers of a model."""
Name = tuple[str, str]
"""A category or concept, and the category that it is, or is in."""


def model_differences(labels: UnitLabels) -> list[ModelDifferenceRow]:
    """Compare the shares of units with each category and each concept, for every pair of models.

    One row a name that a unit of either model has; "no label" is a category. Compared are all layers of a model
    together, layers of the same name, and the last ones. Units that respond alike are one observation: their clusters
    are permuted. A name in so few clusters that no way to deal them out reaches 0.05 is not tested: nothing could be
    found there (Tarone 1990). `p_adjusted`: Holm over the tested rows of the same pair, layers and kind. Rows: most
    certain difference first.
    """
    return [
        row
        for models in itertools.combinations(labels.model_names, 2)
        for sides in _sides(labels, *models)
        for kind in (CATEGORY, CONCEPT)
        for row in _compared(labels, models, sides, kind)
    ]


def _sides(labels: UnitLabels, first: str, second: str) -> Iterator[tuple[Side, Side]]:
    layers = [{layer.layer: layer for layer in labels.layers if layer.model == model} for model in (first, second)]
    last = [list(of_model)[-1] for of_model in layers]
    yield (None, list(layers[0].values())), (None, list(layers[1].values()))
    for pair in dict.fromkeys([*((name, name) for name in layers[0] if name in layers[1]), (last[0], last[1])]):
        yield (pair[0], [layers[0][pair[0]]]), (pair[1], [layers[1][pair[1]]])


@dataclass(frozen=True)
class _Comparison:
    """The units of one name in either model."""

    name: Name
    first: ClusteredShare
    second: ClusteredShare

    @property
    def difference(self) -> float:
        return self.second.share - self.first.share

    @functools.cached_property
    def p_value(self) -> float:
        """NaN where nothing could be found."""
        return clustered_share_test(self.first, self.second)[1] if self._testable else math.nan

    @property
    def _testable(self) -> bool:
        of_first, of_second = len(self.first.sizes), len(self.second.sizes)
        clusters = int((self.first.hits > 0).sum() + (self.second.hits > 0).sum())
        in_first, in_second = min(clusters, of_first), min(clusters, of_second)
        extremes = (
            _share_test((in_first, of_first), (clusters - in_first, of_second)),
            _share_test((clusters - in_second, of_first), (in_second, of_second)),
        )
        return min(extremes) < ALPHA


# Most concepts have one or two clusters: the same few tables come again and again.
_share_test = functools.lru_cache(maxsize=4096)(share_test)


def _compared(
    labels: UnitLabels, models: tuple[str, str], sides: tuple[Side, Side], kind: str
) -> Iterator[ModelDifferenceRow]:
    (layer_a, layers_a), (layer_b, layers_b) = sides
    comparisons = [
        _Comparison(name, clustered_share(layers_a, having), clustered_share(layers_b, having))
        for name, having in _names(labels, (*layers_a, *layers_b), kind).items()
    ]
    comparisons.sort(key=lambda pair: (math.isnan(pair.p_value), pair.p_value, -abs(pair.difference), pair.name))
    adjusted = holm([pair.p_value for pair in comparisons])
    for pair, p_adjusted in zip(comparisons, adjusted, strict=True):
        low, high = clustered_difference_interval(pair.first, pair.second)
        name, category = pair.name
        yield ModelDifferenceRow(
            model_a=models[0],
            model_b=models[1],
            layer_a=layer_a,
            layer_b=layer_b,
            kind=kind,
            name=name,
            category=category,
            units_a=int(pair.first.hits.sum()),
            of_a=int(pair.first.sizes.sum()),
            units_b=int(pair.second.hits.sum()),
            of_b=int(pair.second.sizes.sum()),
            difference=pair.difference,
            low=low,
            high=high,
            p_value=pair.p_value,
            p_adjusted=float(p_adjusted),
        )


def _names(labels: UnitLabels, layers: Sequence[LayerLabels], kind: str) -> Mapping[Name, Having]:
    """What units of these layers have, each with who has it."""
    present = {int(concept) for layer in layers for concept in layer.concept}
    if kind == CONCEPT:
        return {
            (labels.concepts[number], labels.categories[number]): functools.partial(operator.eq, number)
            for number in sorted(present - {-1})
        }
    categories = dict.fromkeys(labels.categories[number] for number in sorted(present - {-1}))
    names = [*categories, *([NO_LABEL] if -1 in present else [])]
    return {(name, name): in_category(labels, name) for name in names}
