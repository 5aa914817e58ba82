"""Network Dissection of every model, where it is known what is at each pixel of the probing images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.dissection import IOU, QUANTILE, NetworkDissection, detector_rows, map_probe, network_dissection_rows
from lumiscope.engines import Report
from lumiscope.runs import DetectorRow, NetworkDissectionRow, ProbingImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.network_dissection import Passes, network_dissection
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy


@dataclass(frozen=True)
class DissectNetwork(UncutTask):
    """Compare the units of some layers with the annotated pixels of the probing images."""

    model: str
    layers: tuple[str, ...]
    images: tuple[str, ...]
    quantile: float = QUANTILE
    least_iou: float = IOU
    compositions: bool = False

    @property
    def key(self) -> str:
        """The model."""
        return f"detectors of {self.model}"

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """All images, where some layer is not counted yet: they pass in a random order."""
        images, annotations = study.probed(self.images), study.annotations
        if annotations is None:
            return ()
        passes = Passes(
            study.dissectable[self.model],
            images,
            dataclasses.replace(annotations, images=images),
            self.quantile,
            self.compositions,
            study.run.seed,
            study.track,
        )
        return passes.items if passes.missing(self.layers, passes.results(study.memo)) else ()

    def run(self, study: OpenStudy, report: Report) -> tuple[NetworkDissection, ...]:
        """Two passes over the images, and what follows."""
        images, annotations = study.probed(self.images), study.annotations
        return network_dissection(
            study.dissectable[self.model],
            images,
            layers=self.layers,
            annotations=None if annotations is None else dataclasses.replace(annotations, images=images),
            quantile=self.quantile,
            least_iou=self.least_iou,
            compositions=self.compositions,
            seed=study.run.seed,
            memo=study.memo,
            track=study.track,
        )


@stage("detectors")
class Detectors(Stage):
    """Names units by the annotated pixels on which they fire."""

    needs = (ProbingImageRow,)
    writes = (NetworkDissectionRow, DetectorRow)

    def applies(self, study: OpenStudy) -> bool:
        """With annotated probing images."""
        return study.probe is not None and study.annotations is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[DissectNetwork]:
        """One for each model that has layers with maps."""
        images = tuple(row.image for row in tables.rows(ProbingImageRow))
        with_maps = {
            name: tuple(layer for layer in layers if map_probe(study.dissectable[name], layer) is not None)
            for name, layers in study.layers.items()
        }
        return [DissectNetwork(name, layers, images) for name, layers in with_maps.items() if layers]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """One row a unit, and one a layer and category."""
        layers = [layer for model in results.results for layer in model]
        return Collected({NetworkDissectionRow: network_dissection_rows(layers), DetectorRow: detector_rows(layers)})
