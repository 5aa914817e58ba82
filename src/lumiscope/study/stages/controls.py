"""What the models' architectures get with random weights: dissected beside them, on the same images and alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts import CATEGORIES
from lumiscope.dissection import LayerLabels, UnitLabels, category_histogram, layer_summary
from lumiscope.engines import Report
from lumiscope.runs import ControlCategoryRow, ControlRow, LayerRow, ProbingImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.concept_scores import ScoredImageRow
from lumiscope.study.stages.control_models import control_of
from lumiscope.study.stages.labels import Naming, label_layer, naming_of
from lumiscope.study.stages.stored_activations import SHARD, StoredActivations
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@dataclass(frozen=True)
class ControlLabels:
    """The labels of one control's units. `seed`: which of the model's controls it is."""

    seed: int
    layers: tuple[LayerLabels, ...]


@dataclass(frozen=True)
class DissectControl(UncutTask):
    """Dissect one model with random weights."""

    model: str
    seed: int
    naming: Naming

    @property
    def key(self) -> str:
        """Model and seed."""
        return f"control {self.seed} of {self.model}"

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.naming.images)

    def run(self, study: OpenStudy, report: Report) -> ControlLabels:
        """Read the activations, image by image, and label the units of each layer."""
        items, layers = study.probed(self.naming.images).items, study.layers[self.model]
        control = control_of(study.dissectable[self.model], self.seed, items, study.memo)

        def kept(first: int, last: int) -> StoredActivations:
            some = items[first:last]
            return StoredActivations(control, layers, study.dissect.pooling, some, study.memo, study.memo.folder)

        everything = kept(0, len(items))
        study.make_ready(everything.lacking())
        for start in range(0, len(items), SHARD):
            kept(start, start + SHARD).compute()
            report(min(start + SHARD, len(items)))
        labels = [label_layer(study, self.naming, everything, self.model, layer) for layer in layers]
        return ControlLabels(self.seed, tuple(labels))


@stage("controls")
class Controls(Stage):
    """Says what random weights get."""

    needs = (ProbingImageRow, ScoredImageRow, LayerRow)
    writes = (ControlRow, ControlCategoryRow)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images, unless no control is asked for."""
        return study.probe is not None and study.dissect.controls > 0

    def tasks(self, study: OpenStudy, tables: Tables) -> list[DissectControl]:
        """One for each model that can be dissected, and seed."""
        naming = naming_of(study, tables)
        models = [name for name, layers in study.layers.items() if layers]
        return [DissectControl(name, seed, naming) for name in models for seed in range(study.dissect.controls)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for layers and their categories."""
        rows: dict[type[Any], Sequence[Any]] = {
            ControlRow: [row for result in results.results for row in _counts(study, result)],
            ControlCategoryRow: [row for result in results.results for row in _categories(study, result)],
        }
        return Collected(rows)


def _counts(study: OpenStudy, control: ControlLabels) -> Iterator[ControlRow]:
    for row in layer_summary(_labels(study, control)):
        yield ControlRow(
            model=row.model,
            layer=row.layer,
            seed=control.seed,
            units=row.units,
            labelled=row.labelled,
            share=row.share,
        )


def _categories(study: OpenStudy, control: ControlLabels) -> Iterator[ControlCategoryRow]:
    for row in category_histogram(_labels(study, control), CATEGORIES):
        yield ControlCategoryRow(
            model=row.model,
            layer=row.layer,
            seed=control.seed,
            category=row.category,
            units=row.units,
            share=row.share,
        )


def _labels(study: OpenStudy, control: ControlLabels) -> UnitLabels:
    concepts = study.concepts
    return UnitLabels(control.layers, concepts.words, concepts.categories, (), "")
