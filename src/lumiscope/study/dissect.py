"""Dissection: a model and probing images to a label for every unit, in memory or through the store."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.attribution import look_inside
from lumiscope.concepts import ConceptSet, category_of, load_concepts
from lumiscope.dissection import collect_activations, label_units, small_sample_notes
from lumiscope.images import ImageItem, ImageSet, draw_world_images
from lumiscope.models import TorchModel, VisionModel, borrowed
from lumiscope.progress import Track, silent
from lumiscope.scorers import ConceptScores, Scorer, load_scorer
from lumiscope.store import Collection, Store, content_key
from lumiscope.types import FloatArray, LayerLabels, UnitLabels

SHARD = 128
POOLING = "mean"
LABELS_VERSION = 2
LABEL_ARRAYS = ("concept", "score", "runner_up", "margin", "top_images", "top_activations")


def dissect(
    model: VisionModel,
    probing_images: ImageSet,
    *,
    layers: Sequence[str] | str,
    scorer: Scorer | str,
    concepts: ConceptSet | Sequence[str] | str | None = None,
    similarity: str = "soft_wpmi",
    store: Store | None = None,
    track: Track = silent,
) -> UnitLabels:
    """Label every unit of the layers with the concept that its activations are most like.

    `layers`: names, wildcards, "auto" or "auto:5".
    `scorer`: a spec as "open_clip:ViT-B-32/openai" or "table:FILE", or a scorer.
    `concepts`: a file, "visual" (the shipped set), words or a concept set; None: the scorer's own words, else "visual".
    `similarity`: see `lumiscope.dissection.similarity_methods`.
    `store`: where activations, scores and labels are kept; None: nowhere.
    Errors: `UnknownNameError`, `LayerError`, `ScorerError`, `UsageError`.
    """
    model = look_inside(model, "dissection")
    names = model.select_layers([layers] if isinstance(layers, str) else layers)
    scorer = load_scorer(scorer) if isinstance(scorer, str) else scorer
    concept_set = choose_concepts(concepts, scorer)
    notes = small_sample_notes(similarity, len(probing_images))
    scores = _scores(scorer, probing_images, concept_set, store, track)
    shared = {
        "scorer": scorer.fingerprint,
        "concepts": concept_set.fingerprint,
        "probe": _probe_key(probing_images),
        "similarity": similarity,
        "version": LABELS_VERSION,
    }
    kept = store.collection("labels", shared) if store else None
    keys = {name: content_key({"model": model.fingerprint, "layer": name, "pooling": POOLING}) for name in names}
    missing = [name for name in names if kept is None or keys[name] not in kept]
    activations = _activations(model, probing_images, missing, store, track)
    layer_labels = []
    for name in track(names, f"labelling units of {model.name}", len(names)):
        if name in missing:
            made = label_units(activations[name], scores.values, model=model.name, layer=name, similarity=similarity)
            if kept is not None:
                kept.put({keys[name]: _label_arrays(made)})
        elif kept is not None:
            made = _labels_from(kept.get(keys[name]), model.name, name)
        layer_labels.append(made)
    ids = tuple(item.id for item in probing_images)
    return UnitLabels(tuple(layer_labels), scores.words, concept_set.categories, ids, similarity, notes)


def merge_labels(labels: Sequence[UnitLabels]) -> UnitLabels:
    """The labels of several models over the same concepts and probing images as one table."""
    layers = tuple(layer for one in labels for layer in one.layers)
    notes = tuple(dict.fromkeys(note for one in labels for note in one.notes))
    return dataclasses.replace(labels[0], layers=layers, notes=notes)


def choose_concepts(concepts: ConceptSet | Sequence[str] | str | None, scorer: Scorer) -> ConceptSet:
    """The concept set asked for; by default the words that the scorer is limited to, else the shipped set."""
    if isinstance(concepts, ConceptSet):
        return concepts
    if (concepts is None and scorer.words is None) or isinstance(concepts, (str, Path)):
        return load_concepts(concepts)
    name, words = (scorer.name, scorer.words or ()) if concepts is None else ("list", tuple(concepts))
    return ConceptSet(name, words, tuple(category_of(word) for word in words))


def _probe_key(images: ImageSet) -> str:
    return content_key([[item.id, item.sha256] for item in images])


def _scores(scorer: Scorer, images: ImageSet, concepts: ConceptSet, store: Store | None, track: Track) -> ConceptScores:
    if store is None:
        draw_world_images(images, track=track)
        return scorer.score(images, concepts, track=track)
    kept = store.collection("concept_scores", {"scorer": scorer.fingerprint, "concepts": concepts.fingerprint})
    key = _probe_key(images)
    if key not in kept:
        draw_world_images(images, track=track)
        kept.put({key: {"values": scorer.score(images, concepts, track=track).values}})
    return ConceptScores(kept.get(key)["values"], concepts.words)


def _activations(
    model: TorchModel, images: ImageSet, layers: Sequence[str], store: Store | None, track: Track
) -> dict[str, FloatArray]:
    """(D, U) pooled activations of each layer, in one pass over the images that the store lacks."""
    if not layers:
        return {}
    if store is None:
        draw_world_images(images, track=track)
        batches = list(_forward(model, list(images), layers, track))
        return {name: np.concatenate([batch[name] for batch in batches]) for name in layers}
    kept = {
        name: store.collection("activations", {"model": model.fingerprint, "layer": name, "pooling": POOLING})
        for name in layers
    }
    _fill(model, images, kept, track)
    return {name: np.stack([kept[name].get(item.sha256)["values"] for item in images]) for name in layers}


def _fill(model: TorchModel, images: ImageSet, kept: Mapping[str, Collection], track: Track) -> None:
    """Compute what is missing, a planned shard of images at a time; a shard lacks a layer whole or not at all."""
    lacking = (item for item in images if any(item.sha256 not in one for one in kept.values()))
    draw_world_images(lacking, track=track)
    shards = [list(images)[at : at + SHARD] for at in range(0, len(images), SHARD)]
    for shard in track(shards, f"activations of {model.name}", len(shards)):
        missing = {name: set(one.missing(item.sha256 for item in shard)) for name, one in kept.items()}
        layers = [name for name, keys in missing.items() if keys]
        wanted = list({item.sha256: item for item in shard if any(item.sha256 in missing[n] for n in layers)}.values())
        if not wanted:
            continue
        batches = list(_forward(model, wanted, layers, silent))
        for name in layers:
            values = np.concatenate([batch[name] for batch in batches])
            rows = zip(wanted, values, strict=True)
            kept[name].put({i.sha256: {"values": row} for i, row in rows if i.sha256 in missing[name]})


def _forward(
    model: TorchModel, items: Sequence[ImageItem], layers: Sequence[str], track: Track
) -> Iterator[dict[str, FloatArray]]:
    batches = [items[at : at + model.batch_size] for at in range(0, len(items), model.batch_size)]
    tracked = track(batches, f"activations of {model.name}", len(batches))
    inputs = (model.inputs([model.view(item) for item in batch]) for batch in tracked)
    modules = {name: model.layer(name) for name in layers}
    with borrowed(model.module):
        yield from collect_activations(inputs, model.module, modules, POOLING, channels_last=model.channels_last)


def _label_arrays(labels: LayerLabels) -> dict[str, NDArray[Any]]:
    arrays = {name: getattr(labels, name) for name in LABEL_ARRAYS}
    arrays["reason"] = np.frombuffer(json.dumps(labels.reason).encode(), np.uint8)
    return arrays


def _labels_from(arrays: Mapping[str, NDArray[Any]], model: str, layer: str) -> LayerLabels:
    reason = tuple(json.loads(arrays["reason"].tobytes()))
    return LayerLabels(model=model, layer=layer, reason=reason, **{name: arrays[name] for name in LABEL_ARRAYS})
