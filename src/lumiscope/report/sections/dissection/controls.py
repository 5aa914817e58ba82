"""Each layer beside the same layer with random weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lumiscope.runs import ControlRow, LayerRow, LowLevelRow, RunReader


@dataclass(frozen=True)
class ControlledLayer:
    """A layer of a model, and its controls. `labelled`, `surviving`: units of the model with a label, and those whose
    label says more than low-level features; `random_labelled`, `random_surviving`: of each control.
    """

    model: str
    layer: str
    units: int
    labelled: int
    surviving: int
    random_labelled: tuple[int, ...]
    random_surviving: tuple[int, ...]

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
            )
