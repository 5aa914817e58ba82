"""Half of the first exam, see world_exam.py: names of units, where the truth is known."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lumiscope.dissection import SIMILARITIES, UnitLabels
from lumiscope.images import open_images
from lumiscope.models import VisionModel, load_model
from lumiscope.statistics import mean_interval
from lumiscope.store import Store
from lumiscope.study import dissect
from lumiscope.world import WORDS, Scene, render

PROBE_SEED = 1_001  # no model was trained on it, and the other half of the exam has another
PROBE = f"world:2000@{PROBE_SEED}"
LEAST_PIXELS = 12


@dataclass(frozen=True)
class Mean:
    """A mean over images with its 95 % interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], low: float = 0) -> Mean:
        """Of one value an image."""
        return cls(float(np.mean(values)), *mean_interval(values, bounds=(low, 1)))

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Names:
    """How many of a model's class units got their own class's name, by one similarity."""

    model: str
    similarity: str
    right: int
    units: int
    wrong: dict[str, str]


def names(similarities: Sequence[str] | None = None) -> list[Names]:
    """Ask whether the final units, one a class, are named after their class among all words of the world."""
    results = []
    for model, similarity, labels in labels_of("fc", similarities):
        (layer,) = labels.layers
        given = [labels.concepts[concept] if concept >= 0 else "" for concept in layer.concept]
        wrong = {class_name: got for class_name, got in zip(model.classes, given, strict=True) if class_name != got}
        results.append(Names(model.spec, similarity, len(given) - len(wrong), len(given), wrong))
    return results


def labels_of(layer: str, similarities: Sequence[str] | None) -> Iterator[tuple[VisionModel, str, UnitLabels]]:
    """The labels of one layer of each model by each similarity; None: by all."""
    images, store = open_images(PROBE), kept()
    for spec in ("world:objects", "world:scenes"):
        model = load_model(spec)
        for similarity in similarities or SIMILARITIES:
            labels = dissect(model, images, layers=layer, scorer="world:clip", similarity=similarity, store=store)
            yield model, similarity, labels


@dataclass(frozen=True)
class Truth:
    """The share of the ten pictures that excite a unit most which really show what it is named, over units.

    `chance`: the same for a hundred pictures drawn at random.
    """

    model: str
    similarity: str
    true: Mean
    chance: Mean


def truth(similarities: Sequence[str] | None = None) -> list[Truth]:
    """Ask whether the labels of the last stage are true of the pictures that they rest on."""
    shown = functools.cache(lambda row: words_shown(render(row, PROBE_SEED)))
    results = []
    for model, similarity, labels in labels_of("stage5", similarities):
        some = np.random.default_rng(0).choice(len(labels.image_ids), 100, replace=False)
        (layer,) = labels.layers
        named = [
            (labels.concepts[word], top) for word, top in zip(layer.concept, layer.top_images, strict=True) if word >= 0
        ]
        true = [float(np.mean([word in shown(int(row)) for row in top[:10]])) for word, top in named]
        chance = [float(np.mean([word in shown(int(row)) for row in some])) for word, _ in named]
        results.append(Truth(model.spec, similarity, Mean.of(true), Mean.of(chance)))
    return results


@functools.cache
def kept() -> Store:
    """Where scores and activations are kept until the exam is over, so that they are computed once."""
    folder = tempfile.mkdtemp(prefix="lumiscope-exam-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Store(Path(folder))


def words_shown(scene: Scene) -> set[str]:
    """What a picture shows: the facts of its main object, and objects and parts of some size."""
    shown = {scene.object, scene.scene, scene.colour, scene.texture}
    for kind in ("object", "part"):
        pixels = np.bincount(scene.labels[kind].ravel(), minlength=len(WORDS[kind]) + 1)[1:]
        shown |= {WORDS[kind][word] for word in np.flatnonzero(pixels >= LEAST_PIXELS)}
    return shown
