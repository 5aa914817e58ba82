"""Each layer beside the same layer with random weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lumiscope.runs import NO_LABEL, CategoryRow, ControlCategoryRow, ControlRow, LayerRow, LowLevelRow, RunReader


@dataclass(frozen=True)
class ControlledCategory:
    """The share of the units of a layer whose label is in a category, and the mean of its controls."""

    name: str
    share: float
    random: float


@dataclass(frozen=True)
class ControlledLayer:
    """A layer of a model, and its controls. `labelled`, `surviving`: units of the model with a label, and those whose
    label says more than low-level features; `random_labelled`, `random_surviving`: of each control. `categories`: those
    that any of them has.
    """

    model: str
    layer: str
    units: int
    labelled: int
    surviving: int
    random_labelled: tuple[int, ...]
    random_surviving: tuple[int, ...]
    categories: tuple[ControlledCategory, ...]

    @property
    def mean_labelled(self) -> float:
        """Of the controls."""
        return sum(self.random_labelled) / len(self.random_labelled)

    @property
    def mean_surviving(self) -> float:
        """Of the controls."""
        return sum(self.random_surviving) / len(self.random_surviving)


def controlled_layers(run: RunReader) -> Iterator[ControlledLayer]:
    """The layers that have controls, in the order of the table `layers`."""
    controls: dict[tuple[str, str | None], list[ControlRow]] = {}
    for row in run.rows(ControlRow):
        controls.setdefault((row.model, row.layer), []).append(row)
    surviving: dict[tuple[str, str, int | None], int] = {}
    for unit in run.rows(LowLevelRow):
        place = unit.model, unit.layer, unit.seed
        surviving[place] = surviving.get(place, 0) + (unit.survives is True)
    categories = _categories(run)
    for layer in run.rows(LayerRow):
        random: Sequence[ControlRow] = controls.get((layer.model, layer.layer), ())
        if layer.layer is not None and random:
            yield ControlledLayer(
                model=layer.model,
                layer=layer.layer,
                units=layer.units,
                labelled=layer.labelled,
                surviving=surviving.get((layer.model, layer.layer, None), 0),
                random_labelled=tuple(row.labelled for row in random),
                random_surviving=tuple(surviving.get((layer.model, layer.layer, row.seed), 0) for row in random),
                categories=tuple(categories.get((layer.model, layer.layer), ())),
            )


def _categories(run: RunReader) -> dict[tuple[str, str | None], list[ControlledCategory]]:
    """(Model, layer) -> the categories of labels there, in their order."""
    shares: dict[tuple[str, str | None, str], list[float]] = {}
    for row in run.rows(ControlCategoryRow):
        shares.setdefault((row.model, row.layer, row.category), []).append(row.share)
    result: dict[tuple[str, str | None], list[ControlledCategory]] = {}
    for known in run.rows(CategoryRow):
        random = shares.get((known.model, known.layer, known.category), [])
        mean = sum(random) / len(random) if random else 0.0
        if known.category != NO_LABEL and (known.units or mean):
            category = ControlledCategory(known.category, known.share, mean)
            result.setdefault((known.model, known.layer), []).append(category)
    return result
