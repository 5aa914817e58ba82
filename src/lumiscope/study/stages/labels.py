"""The labels of all units, made once: of all models, on the images that all of them could look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts import CATEGORIES, ConceptSet
from lumiscope.dissection import (
    SIMILARITIES,
    EvidenceOptions,
    KnownImages,
    LayerLabels,
    UnitLabels,
    category_histogram,
    choose_similarity,
    concept_counts,
    image_notes,
    label_units,
    layer_summary,
    model_differences,
    small_sample_notes,
    unit_rows,
)
from lumiscope.engines import Report
from lumiscope.images import WorldImage
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
    from lumiscope.images import ImageItem
    from lumiscope.models import TorchModel
    from lumiscope.study.open_study import OpenStudy

GROUP = "group"  # a column of the table that lists probing images


@dataclass(frozen=True)
class Naming:
    """How units are named. `images`: ids of the probing images; `known`: what is known of these beforehand.

    `similarities`: that of inner units and that of class units; `why`: these were chosen, empty where asked for.
    """

    images: tuple[str, ...]
    known: KnownImages
    similarities: tuple[str, str]
    why: tuple[str, str]
    evidence: EvidenceOptions
    seed: int

    def similarity(self, study: OpenStudy, model: str, layer: str) -> str:
        """That of the units of a layer."""
        return self.similarities[gives_scores(study.dissectable[model], layer)]

    def inputs(self, study: OpenStudy, similarity: str) -> dict[str, Any]:
        """What labels depend on, apart from the activations."""
        images = [[item.id, item.sha256, study.scorer.image_key(item)] for item in study.probed(self.images)]
        return {
            "scores": scores_of(study, self.images).location,
            "concepts": study.concepts.fingerprint,
            "probe": images,
            "known": [self.known.groups, self.known.classes],
            "similarity": similarity,
            "evidence": dataclasses.asdict(self.evidence),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class FewImages:
    """What is true of the labels of all layers.

    `naming`: how they were made; `similarities`: those that were used. `notes`: what few images cannot tell.
    """

    naming: Naming
    similarities: tuple[str, ...]
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
        naming, similarity = self.naming, self.naming.similarity(study, self.model, self.layer)
        activations = activations_of(study, self.model, naming.images)
        return study.memo.value(
            "labels",
            {**naming.inputs(study, similarity), "activations": activations.location(self.layer)},
            lambda: label_units(
                activations[self.layer],
                study.concept_scores(naming.images),
                model=self.model,
                layer=self.layer,
                similarity=similarity,
                options=naming.evidence,
                seed=naming.seed,
                images=naming.known,
            ),
            made_by=[label_units, SIMILARITIES[similarity].compare],
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
        similarity = naming.similarities[0]
        notes = study.memo.value(
            "small_sample_notes",
            naming.inputs(study, similarity),
            lambda: tuple(
                small_sample_notes(
                    similarity,
                    study.concept_scores(naming.images),
                    options=naming.evidence,
                    seed=naming.seed,
                    images=naming.known,
                )
            ),
            made_by=[small_sample_notes, SIMILARITIES[similarity].compare],
            to_arrays=lambda notes: {"text": json_array(notes)},
            from_arrays=lambda arrays: tuple(from_json_array(arrays["text"])),
        )
        used = {naming.similarity(study, name, layer) for name, layers in study.layers.items() for layer in layers}
        return FewImages(naming, tuple(name for name in dict.fromkeys(naming.similarities) if name in used), notes)


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
    """How the units are named, with the similarities that suit the scores where none was asked for."""
    images = tuple(row.image for row in tables.rows(ProbingImageRow))
    asked = study.dissect.similarity
    inner, of_classes = (
        choose_similarity(study.concept_scores(images), class_units=class_units) if asked == AUTO else (asked, "")
        for class_units in (False, True)
    )
    return Naming(
        images,
        known_of(study.probed(images)),
        (inner[0], of_classes[0]),
        (inner[1], of_classes[1]),
        study.evidence,
        study.run.seed,
    )


def known_of(images: Sequence[ImageItem]) -> KnownImages:
    """What is known of probing images: the column `group` of their table, and their classes or folders.

    An image without a group is a group by itself, or with files of the same content.
    """
    # Pictures of the world are in no table, and to ask for their columns draws them.
    of_table = [None if isinstance(item, WorldImage) else item.columns.get(GROUP) for item in images]
    groups = None
    if any(of_table):
        groups = _numbered(group or item.sha256 for group, item in zip(of_table, images, strict=True))
    classes = _numbered(
        item.path.parent if item.class_name is None and item.label is None else (item.class_name, item.label)
        for item in images
    )
    return KnownImages(groups, classes if any(classes) else None)


def _numbered(keys: Iterable[Hashable]) -> tuple[int, ...]:
    """A number for each key, the same for equal ones, from 0 as they come."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(key, len(numbers)) for key in keys)


def gives_scores(model: TorchModel, layer: str) -> bool:
    """Whether the units of a layer are the classes' scores: nothing with weights comes after it."""
    last = max((place for place, known in enumerate(model.layers) if known.weighted and known.on_path), default=0)
    return layer in {known.name for known in model.layers[last:] if known.layout is None}


def labels_of(concepts: ConceptSet, results: Results) -> UnitLabels:
    """The labels of all models in one."""
    layers = tuple(result for result in results.results if isinstance(result, LayerLabels))
    (few_images,) = (result for result in results.results if isinstance(result, FewImages))
    naming = few_images.naming
    used = zip(naming.similarities, naming.why, strict=True)
    why = dict.fromkeys(reason for name, reason in used if name in few_images.similarities)
    about_concepts = [f"Concepts {concepts.name}: {note}." for note in concepts.notes]
    return UnitLabels(
        layers=layers,
        concepts=concepts.words,
        categories=concepts.categories,
        image_ids=naming.images,
        similarity=", ".join(few_images.similarities),
        notes=tuple(note for note in (*about_concepts, *why, *few_images.notes, *image_notes(layers)) if note),
    )
