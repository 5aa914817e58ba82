"""How each category of concepts grows or fades from the first layer to the last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumiscope.report.parts.category import Category
from lumiscope.runs import CategoryRow


@dataclass(frozen=True)
class Trend:
    """The share of one category in every layer, in order of depth."""

    category: Category
    shares: tuple[CategoryRow, ...]


def trends(layers: Sequence[Mapping[Category, CategoryRow]], legend: Iterable[Category]) -> tuple[Trend, ...]:
    """A trend for each category that any model has, so that the panels of the models stand side by side.

    `layers`: of one model, by category; a single layer has no trend.
    """
    if len(layers) < 2:
        return ()
    return tuple(Trend(category, tuple(shares[category] for shares in layers)) for category in legend)
