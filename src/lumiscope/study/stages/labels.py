"""The labels of all units, made once: of all models, on the images that all of them could look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts import CATEGORIES, ConceptSet
from lumiscope.dissection import (
    SIMILARITIES,
    EvidenceOptions,
    LayerLabels,
    UnitLabels,
    category_histogram,
    choose_similarity,
    concept_counts,
    label_units,
    layer_summary,
    model_differences,
    small_sample_notes,
    unit_rows,
)
from lumiscope.engines import Report
from lumiscope.runs import (
    CategoryRow,
    ConceptCountRow,
    ConceptFacts,
    LayerRow,
    ModelDifferenceRow,
    ProbingImageRow,
    UnitRow,
)
from lumiscope.store import from_json_array, json_array
from lumiscope.study.config import AUTO
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.activations import activations_of
from lumiscope.study.stages.concept_scores import ScoredImageRow, scores_of
from lumiscope.study.stages.label_arrays import label_arrays, labels_from
from lumiscope.study.stages.uncut import UncutTask

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@dataclass(frozen=True)
class Naming:
    """How units are named. `images`: ids of the probing images. `similarity`: chosen, and `why`, "" where asked for."""

    images: tuple[str, ...]
    similarity: str
    why: str
    evidence: EvidenceOptions
    seed: int

    def inputs(self, study: OpenStudy) -> dict[str, Any]:
        """What labels depend on, apart from the activations."""
        images = [[item.id, item.sha256, study.scorer.image_key(item)] for item in study.probed(self.images)]
        return {
            "scores": scores_of(study, self.images).location,
            "concepts": study.concepts.fingerprint,
            "probe": images,
            "similarity": self.similarity,
            "evidence": dataclasses.asdict(self.evidence),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class FewImages:
    """What is true of the labels of all layers. `naming`: how they were made. `notes`: what few images cannot tell."""

    naming: Naming
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LabelLayer(UncutTask):
    """Label the units of one layer."""

    model: str
    layer: str
    naming: Naming

    @property
    def key(self) -> str:
        """Model and layer."""
        return f"labels of {self.model}: {self.layer}"

    def run(self, study: OpenStudy, report: Report) -> LayerLabels:
        """Compare the layer's units with all concepts."""
        naming = self.naming
        activations = activations_of(study, self.model, naming.images)
        return study.memo.value(
            "labels",
            {**naming.inputs(study), "activations": activations.location(self.layer)},
            lambda: label_units(
                activations[self.layer],
                study.concept_scores(naming.images),
                model=self.model,
                layer=self.layer,
                similarity=naming.similarity,
                options=naming.evidence,
                seed=naming.seed,
            ),
            made_by=[label_units, SIMILARITIES[naming.similarity].compare],
            to_arrays=label_arrays,
            from_arrays=lambda arrays: labels_from(arrays, self.model, self.layer),
        )


@dataclass(frozen=True)
class TryFewImages(UncutTask):
    """Find out what few probing images cannot tell; the same for all models."""

    naming: Naming

    @property
    def key(self) -> str:
        """There is one."""
        return "what few images cannot tell"

    def run(self, study: OpenStudy, report: Report) -> FewImages:
        """Try it out on made-up units."""
        naming = self.naming
        notes = study.memo.value(
            "small_sample_notes",
            naming.inputs(study),
            lambda: tuple(
                small_sample_notes(
                    naming.similarity,
                    study.concept_scores(naming.images),
                    options=naming.evidence,
                    seed=naming.seed,
                )
            ),
            made_by=[small_sample_notes, SIMILARITIES[naming.similarity].compare],
            to_arrays=lambda notes: {"text": json_array(notes)},
            from_arrays=lambda arrays: tuple(from_json_array(arrays["text"])),
        )
        return FewImages(naming, notes)


@stage("labels")
class Labels(Stage):
    """Names the units, and counts what follows from their names."""

    needs = (ProbingImageRow, ScoredImageRow)
    writes = (UnitRow, LayerRow, ConceptCountRow, CategoryRow, ModelDifferenceRow)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def check_settings(self, study: OpenStudy) -> None:
        """The similarity."""
        if study.dissect.similarity != AUTO:
            SIMILARITIES.check(study.dissect.similarity)

    def tasks(self, study: OpenStudy, tables: Tables) -> list[LabelLayer | TryFewImages]:
        """One for each layer, and one for what holds of all."""
        naming = naming_of(study, tables)
        layers = [(model, layer) for model, layers in study.layers.items() for layer in layers]
        return [*(LabelLayer(model, layer, naming) for model, layer in layers), TryFewImages(naming)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for units, layers, concepts, categories and what differs between models."""
        labels = labels_of(study.concepts, results)
        config, concepts = study.dissect, study.concepts
        facts = {
            "similarity": labels.similarity,
            "pooling": config.pooling,
            "fdr": study.evidence.fdr,
            "min_stability": study.evidence.min_stability,
            "similarity_notes": labels.notes,
            "concepts": ConceptFacts(
                name=concepts.name,
                count=len(concepts),
                other_share=concepts.other_share,
                notes=tuple(concepts.notes),
                categories=dict(concepts.counts()),
            ),
        }
        rows: dict[type[Any], Sequence[Any]] = {
            UnitRow: unit_rows(labels),
            LayerRow: layer_summary(labels, None if study.evidence.fdr >= 1 else study.evidence.fdr),
            ConceptCountRow: concept_counts(labels),
            CategoryRow: category_histogram(labels, CATEGORIES),
            ModelDifferenceRow: model_differences(labels),
        }
        return Collected(rows, facts)


def naming_of(study: OpenStudy, tables: Tables) -> Naming:
    """How the units are named, with the similarity that suits the scores where none was asked for."""
    images = tuple(row.image for row in tables.rows(ProbingImageRow))
    asked = study.dissect.similarity
    chosen, why = choose_similarity(study.concept_scores(images)) if asked == AUTO else (asked, "")
    return Naming(images, chosen, why, study.evidence, study.run.seed)


def labels_of(concepts: ConceptSet, results: Results) -> UnitLabels:
    """The labels of all models in one."""
    layers = tuple(result for result in results.results if isinstance(result, LayerLabels))
    (few_images,) = (result for result in results.results if isinstance(result, FewImages))
    naming = few_images.naming
    about_concepts = [f"Concepts {concepts.name}: {note}." for note in concepts.notes]
    return UnitLabels(
        layers=layers,
        concepts=concepts.words,
        categories=concepts.categories,
        image_ids=naming.images,
        similarity=naming.similarity,
        notes=tuple(note for note in (*about_concepts, naming.why, *few_images.notes) if note),
    )
