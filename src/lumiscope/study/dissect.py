"""Dissection: a model and probing images to a label for every unit, in memory or through the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lumiscope.attribution import look_inside
from lumiscope.columns import Columns
from lumiscope.concepts import ConceptSet, category_of, load_concepts
from lumiscope.discovery import source_digest
from lumiscope.dissection import SIMILARITIES, EvidenceOptions, choose_similarity, label_units, small_sample_notes
from lumiscope.images import ImageSet, Skipped
from lumiscope.models import VisionModel
from lumiscope.progress import Track, silent
from lumiscope.scorers import Scorer, load_scorer
from lumiscope.store import Collection, Store, content_key, from_json_array, json_array
from lumiscope.study.activations import activation_scope, stored_activations
from lumiscope.study.concept_scores import scores_version, stored_scores
from lumiscope.study.label_store import label_arrays, labels_from
from lumiscope.types import UnitLabels

AUTO = "auto"
NOTES = "notes"  # their key among the labels of the models
CODE = "lumiscope.dissection"  # what labels and their evidence come from: an edit there makes them anew


def dissect(
    model: VisionModel,
    probing_images: ImageSet,
    *,
    layers: Sequence[str] | str,
    scorer: Scorer | str,
    concepts: ConceptSet | Sequence[str] | str | None = None,
    similarity: str = AUTO,
    pooling: Literal["mean", "max"] = "mean",
    evidence: EvidenceOptions | None = None,
    seed: int = 0,
    store: Store | None = None,
    track: Track = silent,
) -> UnitLabels:
    """Label every unit of the layers with the concept that its activations are most like, or say why there is none.

    `layers`: names, wildcards, "auto" or "auto:5"; "blocks.11@class" is the class token of a layer of tokens.
    `scorer`: a spec as "open_clip:ViT-B-32/openai", "table:FILE" or "masks", or a scorer.
    `concepts`: a file, "visual" (the shipped set), words or a concept set; None: the scorer's own words, else "visual".
    `similarity`: see `lumiscope.dissection.SIMILARITIES`; "auto" chooses by what the scores are.
    `pooling`: how a map becomes one number an image. `evidence`: what a label must pass; None: the defaults.
    `seed`: permutations, halves and resamples derive from it.
    `store`: where activations, scores and labels are kept; None: nowhere.
    Errors: `UnknownNameError`, `LayerError`, `ScorerError`, `UsageError`.
    """
    opened = look_inside(model, "dissection")
    names = opened.select_layers([layers] if isinstance(layers, str) else layers)
    scorer = load_scorer(scorer) if isinstance(scorer, str) else scorer
    if similarity != AUTO:
        SIMILARITIES.check(similarity)
    concept_set = choose_concepts(concepts, scorer)
    scorer.check(probing_images, concept_set)
    activations = stored_activations(opened, probing_images, names, pooling=pooling, store=store, track=track)
    images = activations.images
    scores = stored_scores(scorer, images, concept_set, store=store, track=track)
    chosen, why = choose_similarity(scores) if similarity == AUTO else (similarity, "")
    options = evidence or EvidenceOptions()
    shared = {
        "scorer": scorer.fingerprint,
        "concepts": concept_set.fingerprint,
        "probe": [[item.id, item.sha256, scorer.image_key(item)] for item in images],
        "similarity": chosen,
        "evidence": dataclasses.asdict(options),
        "seed": seed,
        "version": [source_digest(CODE), *scores_version()],
    }
    kept = store.collection("labels", {"inputs": content_key(shared)}) if store else None
    layer_labels = []
    for name in track(names, f"labelling units of {opened.name}", len(names)):
        key = content_key(activation_scope(opened, name, pooling))
        if kept is not None and key in kept:
            layer_labels.append(labels_from(kept.get(key), opened.name, name))
            continue
        made = label_units(
            activations[name],
            scores,
            model=opened.name,
            layer=name,
            similarity=chosen,
            options=options,
            seed=seed,
        )
        if kept is not None:
            kept.put({key: label_arrays(made)})
        layer_labels.append(made)
    notes = [f"Concepts {concept_set.name}: {note}." for note in concept_set.notes]
    notes += [why, *_small_sample(kept, chosen, scores, options, seed), _left_out(activations.skipped)]
    return UnitLabels(
        layers=tuple(layer_labels),
        concepts=concept_set.words,
        categories=concept_set.categories,
        image_ids=tuple(item.id for item in images),
        similarity=chosen,
        notes=tuple(note for note in notes if note),
    )


def _small_sample(
    kept: Collection | None, similarity: str, scores: Columns, options: EvidenceOptions, seed: int
) -> Sequence[str]:
    """What few probing images cannot tell: tried out once for all models that are labelled from the same inputs."""
    if kept is not None and NOTES in kept:
        known: list[str] = from_json_array(kept.get(NOTES)["text"])
        return known
    notes = small_sample_notes(similarity, scores, options=options, seed=seed)
    if kept is not None:
        kept.put({NOTES: {"text": json_array(notes)}})
    return notes


def _left_out(skipped: Sequence[Skipped]) -> str:
    """What became of probing images that failed, in words; "" where none did."""
    named = "; ".join(f"{entry.name}: {entry.reason}" for entry in skipped)
    count = "1 probing image was" if len(skipped) == 1 else f"{len(skipped)} probing images were"
    return f"{count} left out of everything ({named})." if skipped else ""


def merge_labels(labels: Sequence[UnitLabels]) -> UnitLabels:
    """The labels of several models over the same concepts and probing images as one table."""
    layers = tuple(layer for one in labels for layer in one.layers)
    notes = tuple(dict.fromkeys(note for one in labels for note in one.notes))
    return dataclasses.replace(labels[0], layers=layers, notes=notes)


def choose_concepts(concepts: ConceptSet | Sequence[str] | str | None, scorer: Scorer) -> ConceptSet:
    """The concept set asked for; by default the words that the scorer is limited to, else the shipped set."""
    if isinstance(concepts, ConceptSet):
        return concepts
    if isinstance(concepts, (str, Path)):
        return load_concepts(concepts)
    if concepts is not None:
        return ConceptSet.of(concepts)
    if scorer.words is None:
        return load_concepts()
    return ConceptSet(scorer.name, scorer.words, scorer.categories or tuple(map(category_of, scorer.words)))
