"""What the models' architectures get with random weights: dissected beside them, on the same images and alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts import CATEGORIES
from lumiscope.dissection import BeyondLowLevel, LayerLabels, UnitLabels, category_histogram, layer_summary
from lumiscope.engines import Report
from lumiscope.runs import ControlCategoryRow, ControlRow, LayerRow, LowLevelRow, ProbingImageRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.activations import activations_of
from lumiscope.study.stages.beyond import beyond_of
from lumiscope.study.stages.concept_scores import ScoredImageRow
from lumiscope.study.stages.control_models import control_of
from lumiscope.study.stages.labels import Naming, label_layer, naming_of
from lumiscope.study.stages.stored_activations import SHARD, StoredActivations
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@dataclass(frozen=True)
class Dissected:
    """The units of one network. `seed`: which of the model's controls it is; None: the model itself.

    `layers` and `beyond`: their labels, and what of these is beyond low-level features, layer by layer.
    """

    seed: int | None
    layers: tuple[LayerLabels, ...]
    beyond: tuple[BeyondLowLevel, ...]


def _dissected(
    study: OpenStudy, naming: Naming, model: str, seed: int | None, activations: StoredActivations
) -> Dissected:
    layers = tuple(label_layer(study, naming, activations, model, layer) for layer in study.layers[model])
    return Dissected(seed, layers, tuple(beyond_of(study, naming, activations, labels) for labels in layers))


@dataclass(frozen=True)
class JudgeModel(UncutTask):
    """Find out what of a model's labels is beyond low-level features."""

    model: str
    naming: Naming

    @property
    def key(self) -> str:
        """The model."""
        return f"labels beyond low-level features: {self.model}"

    def run(self, study: OpenStudy, report: Report) -> Dissected:
        """Take the labels that are there."""
        activations = activations_of(study, self.model, self.naming.images)
        return _dissected(study, self.naming, self.model, None, activations)


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

    def run(self, study: OpenStudy, report: Report) -> Dissected:
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
        return _dissected(study, self.naming, self.model, self.seed, everything)


@stage("controls")
class Controls(Stage):
    """Says what random weights get, and which labels low-level features do not explain."""

    needs = (ProbingImageRow, ScoredImageRow, LayerRow)
    writes = (ControlRow, ControlCategoryRow, LowLevelRow)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[JudgeModel | DissectControl]:
        """One for each model that can be dissected, and for each of its controls."""
        naming = naming_of(study, tables)
        models = [name for name, layers in study.layers.items() if layers]
        seeds = range(study.dissect.controls)
        return [
            *(JudgeModel(name, naming) for name in models),
            *(DissectControl(name, seed, naming) for name in models for seed in seeds),
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for layers, their categories, and units."""
        rows: dict[type[Any], list[Any]] = {ControlRow: [], ControlCategoryRow: [], LowLevelRow: []}
        for network in results.results:
            rows[LowLevelRow] += _units(study, network)
            if network.seed is not None:
                rows[ControlRow] += _counts(study, network, network.seed)
                rows[ControlCategoryRow] += _categories(study, network, network.seed)
        return Collected(rows)


def _units(study: OpenStudy, network: Dissected) -> Iterator[LowLevelRow]:
    words, fdr = study.concepts.words, study.evidence.fdr
    for labels, beyond in zip(network.layers, network.beyond, strict=True):
        for unit, concept in enumerate(labels.concept):
            q_value = float(beyond.q_value[unit])
            known = None if math.isnan(q_value) else q_value <= fdr
            yield LowLevelRow(
                model=labels.model,
                layer=labels.layer,
                seed=network.seed,
                unit=unit,
                label=words[concept] if concept >= 0 else None,
                cluster=int(labels.cluster[unit]),
                correlation=float(beyond.correlation[unit]),
                partial_correlation=float(beyond.partial[unit]),
                p_value=float(beyond.p_value[unit]),
                q_value=q_value,
                survives=known if concept >= 0 else False,
            )


def _counts(study: OpenStudy, control: Dissected, seed: int) -> Iterator[ControlRow]:
    for row in layer_summary(_labels(study, control)):
        yield ControlRow(
            model=row.model, layer=row.layer, seed=seed, units=row.units, labelled=row.labelled, share=row.share
        )


def _categories(study: OpenStudy, control: Dissected, seed: int) -> Iterator[ControlCategoryRow]:
    for row in category_histogram(_labels(study, control), CATEGORIES):
        yield ControlCategoryRow(
            model=row.model, layer=row.layer, seed=seed, category=row.category, units=row.units, share=row.share
        )


def _labels(study: OpenStudy, control: Dissected) -> UnitLabels:
    concepts = study.concepts
    return UnitLabels(control.layers, concepts.words, concepts.categories, (), "")
