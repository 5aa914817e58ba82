"""Planted units: does dissection find what is known to be there, and stay silent where nothing is?

    python benchmarks/planted.py
    python benchmarks/planted.py --seeds 3 --json

Plants units over the annotations of the world's pictures (`lumiscope.world._planted`), labels them with the annotated
concepts (scorer `masks`), and marks the labels: with the automatic similarity, with every other one, and with fewer
probing images. Then the world's own models: are class units named after their class, and what does the last stage of
either know? Prints Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lumiscope.dissection import SIMILARITIES, LayerLabels, UnitLabels, choose_similarity, label_units
from lumiscope.images import ImageSet, WorldImage, open_images
from lumiscope.models import load_model
from lumiscope.scorers import load_scorer
from lumiscope.store import Store
from lumiscope.study import dissect
from lumiscope.study.stages.choose_concepts import choose_concepts
from lumiscope.types import BoolArray, FloatArray
from lumiscope.world import COLOURS, OBJECTS, SCENES, TEXTURES
from lumiscope.world._planted import (
    FREQUENCIES,
    NOISE,
    NULLS,
    SILENT,
    PlantedUnit,
    images_with_rare_scenes,
    plan_units,
    plant,
)
from lumiscope.world.renderer._brush import BACKDROPS
from lumiscope.world.renderer._pen import KINDS

IMAGES = 2_000
SEED = 1_001  # no model of the world was trained on it
KNOWN = ("objects and their parts", "backdrops and theirs", "parts of either", "colours and textures", "no label")
FEWER = (10, 30, 100, 300, 1_000, IMAGES)


@dataclass(frozen=True)
class Exam:
    """`presence`: (D, K), and the units that are planted over it with their activations, (D, U)."""

    presence: BoolArray
    units: tuple[PlantedUnit, ...]
    activations: FloatArray

    @classmethod
    def over(cls, presence: BoolArray, seed: int = 0) -> Exam:
        """Plant the usual units."""
        units = plan_units(presence, seed=seed)
        return cls(presence, units, plant(units, presence, seed=seed))

    def sit(self, similarity: str = "auto") -> LayerLabels:
        """Label the units."""
        scores = self.presence.astype(np.float32)
        name = choose_similarity(scores, class_units=False)[0] if similarity == "auto" else similarity
        return label_units(self.activations, scores, model="planted", layer="units", similarity=name)


@dataclass(frozen=True)
class Mark:
    """What became of the units of one kind, as numbers of units.

    `labelled`: with any label. `right`: of single concepts, with that concept or one that occurs on the same images;
    of "or" and "and", with both halves among label and further labels; of units that respond to nothing, with no label.
    `half`: of "or" and "and", with at least one half as the label.
    """

    kind: str
    units: int
    labelled: int
    right: int
    half: int


def mark(exam: Exam, labels: LayerLabels) -> list[Mark]:
    """Mark every kind of unit, the single concepts at each frequency apart."""
    marks = [_mark_unit(exam.presence, unit, labels, number) for number, unit in enumerate(exam.units)]
    kinds = [f"single, {unit.frequency:g}" if unit.kind == "single" else unit.kind for unit in exam.units]
    return pooled([dataclasses.replace(mark, kind=kind) for mark, kind in zip(marks, kinds, strict=True)])


def _mark_unit(presence: BoolArray, unit: PlantedUnit, labels: LayerLabels, number: int) -> Mark:
    label = int(labels.concept[number])
    if unit.kind in NULLS:
        return Mark(unit.kind, 1, label >= 0, label < 0, 0)
    if unit.kind in SILENT:
        no_label = labels.reason[number]
        return Mark(unit.kind, 1, label >= 0, no_label is not None and no_label.reason == unit.kind, 0)
    given = [int(concept) for concept in (label, *labels.further[number]) if concept >= 0]
    same = [any((presence[:, concept] == presence[:, wanted]).all() for concept in given) for wanted in unit.concepts]
    half = label >= 0 and any((presence[:, label] == presence[:, wanted]).all() for wanted in unit.concepts)
    right = half if unit.kind == "single" else all(same)
    return Mark(unit.kind, 1, label >= 0, right, half)


def totals(marks: Sequence[Mark]) -> dict[str, float]:
    """The shares that the exam is about.

    `frequent`, `rare`: single concepts that were recovered, at a frequency of at least 0.05 and below. `or`, `and`:
    units of which both halves were reported; `or_half`, `and_half`: with one of them as the label. `null`: units that
    respond to nothing and got a label all the same. `silent`: dead and constant units that were called so.
    """

    def share(field: str, kinds: Sequence[str]) -> float:
        chosen = [mark for mark in marks if mark.kind in kinds]
        return float(sum(getattr(mark, field) for mark in chosen) / max(sum(mark.units for mark in chosen), 1))

    often = [f"single, {frequency:g}" for frequency in FREQUENCIES if frequency >= 0.05]
    seldom = [f"single, {frequency:g}" for frequency in FREQUENCIES if frequency < 0.05]
    return {
        "frequent": share("right", often),
        "rare": share("right", seldom),
        "or": share("right", ["or"]),
        "or_half": share("half", ["or"]),
        "and": share("right", ["and"]),
        "and_half": share("half", ["and"]),
        "null": share("labelled", list(NULLS)),
        "silent": share("right", SILENT),
    }


def probing_images(count: int = IMAGES, seed: int = SEED) -> ImageSet:
    """Pictures among which two scenes, and all that belongs to them, are as rare as 1 in 100, and two as 1 in 1,000."""
    rare = {"city": count // 100, "underwater": count // 100, "room": count // 1000, "night": count // 1000}
    indices = images_with_rare_scenes(count, seed, rare)
    return ImageSet(tuple(WorldImage(index, seed) for index in indices), f"world, {count} images of seed {seed}")


@functools.cache
def presence_of_words() -> BoolArray:
    """(IMAGES, K): which words are in which of the probing images."""
    return presence_of(probing_images())


def presence_of(images: ImageSet) -> BoolArray:
    """(D, K): what the scorer `masks` says of pictures of the world."""
    scorer = load_scorer("masks")
    return np.asarray(scorer.score(images, choose_concepts(None, scorer)).values) > 0


def know(labels: UnitLabels, layer: str) -> dict[str, int]:
    """How many units of a layer are labelled with the words of main objects and their parts, and of backdrops."""
    (layer_labels,) = (candidate for candidate in labels.layers if candidate.layer == layer)
    words = Counter(labels.concepts[concept] if concept >= 0 else "" for concept in layer_labels.concept)
    objects = {*OBJECTS, *(part for kind in KINDS.values() for part in kind.parts)}
    backdrops = {*SCENES, *(part for backdrop in BACKDROPS.values() for part in backdrop.parts)}
    groups = (objects - backdrops, backdrops - objects, objects & backdrops, {*COLOURS, *TEXTURES}, {""})
    return {what: sum(words[word] for word in group) for what, group in zip(KNOWN, groups, strict=True)}


def named_after_class(labels: UnitLabels, classes: Sequence[str]) -> int:
    """How many units of the final layer have their own class's name."""
    concepts = labels.layers[-1].concept
    given = [labels.concepts[concept] if concept >= 0 else "" for concept in concepts]
    return sum(name == class_name for name, class_name in zip(given, classes, strict=True))


def worlds_models() -> Iterator[list[str]]:
    """Rows of cells: model, scorer, similarity, units named after their class, and what stage 5 knows."""
    images = open_images(f"world:{IMAGES}@{SEED}")
    with tempfile.TemporaryDirectory() as folder:
        for spec, scorer in itertools.product(("world:objects", "world:scenes"), ("world:clip", "masks")):
            model = load_model(spec)
            store = Store(Path(folder))
            labels = dissect(model, images, layers=["stage5", "fc"], scorer=scorer, store=store)
            right = f"{named_after_class(labels, model.classes)} of {len(model.classes)}"
            yield [spec, scorer, labels.similarity, right, *map(str, know(labels, "stage5").values())]


def main() -> None:
    """Sit the exam."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="how many plantings (%(default)s)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    presence = presence_of_words()
    exams = [Exam.over(presence, seed) for seed in range(given.seeds)]
    started = time.perf_counter()
    marks = pooled([grade for exam in exams for grade in mark(exam, exam.sit())])
    seconds = time.perf_counter() - started
    by_similarity = {name: totals_over(exams, name) for name in ("auto", *SIMILARITIES)}
    by_images = {
        count: totals_over([Exam.over(presence_of_few(count, seed), seed) for seed in range(given.seeds)], "auto")
        for count in FEWER
    }
    if given.json:
        facts = {"noise": dataclasses.asdict(NOISE), "marks": [dataclasses.asdict(mark) for mark in marks]}
        print(json.dumps({**facts, "similarities": by_similarity, "images": by_images}, indent=1))
        return
    print(f"{len(exams[0].units)} units, {presence.shape[0]:,} images, {presence.shape[1]} concepts; {seconds:.0f} s\n")
    print(table(["units", "number", "labelled", "right", "label is a half"], [row(mark) for mark in marks]))
    for what, results in (("similarity", by_similarity), ("images", by_images)):
        first = next(iter(results.values()))
        rows = [[str(key), *(f"{value:.1%}" for value in shares.values())] for key, shares in results.items()]
        print("\n" + table([what, *first], rows))
    print("\n" + table(["model", "scorer", "similarity", "named after class", *KNOWN], list(worlds_models())))


def pooled(marks: Sequence[Mark]) -> list[Mark]:
    """The marks of each kind as one."""
    groups: dict[str, list[Mark]] = {}
    for mark in marks:
        groups.setdefault(mark.kind, []).append(mark)
    fields = ("units", "labelled", "right", "half")
    return [
        Mark(kind, *(sum(getattr(mark, field) for mark in each) for field in fields)) for kind, each in groups.items()
    ]


def totals_over(exams: Sequence[Exam], similarity: str) -> dict[str, float]:
    """`totals` over several plantings."""
    return totals([grade for exam in exams for grade in mark(exam, exam.sit(similarity))])


def presence_of_few(count: int, seed: int) -> BoolArray:
    """(count, K): of images drawn at random from the probing images."""
    presence = presence_of_words()
    return presence[np.sort(np.random.default_rng(seed).choice(len(presence), count, replace=False))]


def row(mark: Mark) -> list[str]:
    """A mark as cells."""
    half = f"{mark.half / mark.units:.1%}" if mark.kind in ("or", "and") else ""
    return [mark.kind, str(mark.units), f"{mark.labelled / mark.units:.1%}", f"{mark.right / mark.units:.1%}", half]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
