"""The first exam: are explanations right where the truth is known?

    python benchmarks/world_exam.py
    python benchmarks/world_exam.py --images 20 --json

Five questions about the world's own models, on pictures that no model was trained on: do maps find the object, do they
find a planted shortcut, do class units get the right names, are other names true of the pictures that they rest on, and
are classes that share a part kept apart? Prints Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.ndimage import zoom

from exam_of_names import Mean, Names, Truth, names, truth
from lumiscope.agreement import make_mask
from lumiscope.attribution import METHODS, PreparedBatch, look_inside
from lumiscope.models import TorchModel, load_model
from lumiscope.statistics import sign_flip_test
from lumiscope.types import BoolArray, FloatArray, SaliencyMap
from lumiscope.world import MARK_BOX, OBJECTS, SIZE, Scene, render
from lumiscope.world.renderer._pen import KINDS

EXAMINED = ("gradcam", "ablationcam", "scorecam", "lime")
EXAM_SEED = 1_000  # the models were trained on another
BATCH = 4
AREAS = {"mark": MARK_BOX, "corner": (0, 0, SIZE // 4, SIZE // 4)}
Options: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Localisation:
    """IoU with the true mask, every map being cut at the true mask's own area: the most salient pixels, so many.

    `gaussian`: of a centred Gaussian; `random`: of a random map. `p_gaussian`, `p_random`: sign-flip tests of the
    method's gain. `own_mask`: IoU of the mask that the method's own rule makes.
    """

    method: str
    iou: Mean
    gaussian: Mean
    random: Mean
    p_gaussian: float
    p_random: float
    own_mask: Mean


def localisation(scenes: Sequence[Scene], methods: Sequence[str] = EXAMINED, **options: Options) -> list[Localisation]:
    """Ask whether the maps of world:objects find the object that is named."""
    model = load_torch("world:objects")
    truths = [scene.mask for scene in scenes]
    areas = [int(truth.sum()) for truth in truths]
    centred = overlaps([largest(centred_gaussian(), area) for area in areas], truths)
    chance = overlaps([largest(random_map(row), area) for row, area in enumerate(areas)], truths)
    results = []
    for name in methods:
        maps = explain(model, scenes, name, options.get(name))
        ious = overlaps([largest(saliency.values, area) for saliency, area in zip(maps, areas, strict=True)], truths)
        results.append(
            Localisation(
                name,
                Mean.of(ious),
                Mean.of(centred),
                Mean.of(chance),
                sign_flip_test(np.subtract(ious, centred)),
                sign_flip_test(np.subtract(ious, chance)),
                Mean.of(overlaps([make_mask(saliency, METHODS[name].mask_rule) for saliency in maps], truths)),
            )
        )
    return results


@dataclass(frozen=True)
class Corner:
    """The share of a map's positive weight in the mark's corner, and how much more of it the shortcut model has there.

    `area`: "mark", the mark itself, or "corner", the upper left sixteenth of the picture, which a last layer's cells
    around the mark reach.
    """

    method: str
    area: str
    shortcut: Mean
    objects: Mean
    gain: Mean
    p: float


def corner(count: int, methods: Sequence[str] = EXAMINED, **options: Options) -> list[Corner]:
    """Ask whether the maps of world:shortcut lie on the mark that gives the class away, and those of objects do not."""
    scenes = [marked(index) for index in range(count)]
    models = [load_torch("world:shortcut"), load_torch("world:objects")]
    results = []
    for name in methods:
        maps = [explain(model, scenes, name, options.get(name), target="object") for model in models]
        for area, box in AREAS.items():
            shortcut, objects = ([weight_in(box, saliency) for saliency in model_maps] for model_maps in maps)
            gains = [float(more - less) for more, less in zip(shortcut, objects, strict=True)]
            results.append(
                Corner(name, area, Mean.of(shortcut), Mean.of(objects), Mean.of(gains, low=-1), sign_flip_test(gains))
            )
    return results


@dataclass(frozen=True)
class Confusion:
    """How often pictures of one class are taken for another, for pairs that share a part and for those that do not."""

    images: int
    accuracy: float
    sharing: float
    others: float
    worst: str
    worst_share: float


Answer: TypeAlias = Localisation | Corner | Names | Truth | Confusion


def confusion(count: int) -> Confusion:
    """Ask whether classes that share a part are confused more often than others."""
    model = load_model("world:objects")
    scenes = (render(index, EXAM_SEED) for index in range(count))
    table = np.zeros((len(OBJECTS), len(OBJECTS)))
    for batch in batches(scenes):
        for scene, logits in zip(batch, model.predict(np.stack([scene.pixels for scene in batch])), strict=True):
            table[OBJECTS.index(scene.object), logits.argmax()] += 1
    rates = table / table.sum(axis=1, keepdims=True)
    pairs = list(itertools.permutations(range(len(OBJECTS)), 2))
    share = [bool(set(KINDS[OBJECTS[a]].parts) & set(KINDS[OBJECTS[b]].parts)) for a, b in pairs]
    taken = np.array([rates[pair] for pair in pairs])
    worst = pairs[int(np.where(share, taken, 0).argmax())]
    return Confusion(
        count,
        float(np.trace(table) / table.sum()),
        float(taken[np.array(share)].mean()),
        float(taken[~np.array(share)].mean()),
        f"{OBJECTS[worst[0]]} taken for {OBJECTS[worst[1]]}",
        float(rates[worst]),
    )


def load_torch(spec: str) -> TorchModel:
    """A model of the world."""
    return look_inside(load_model(spec), "this exam")


def explain(
    model: TorchModel, scenes: Sequence[Scene], name: str, options: Options | None, target: str = "predicted"
) -> list[SaliencyMap]:
    """Maps of one method. `target`: "predicted", or "object": the class of the main object."""
    method = METHODS[name]
    maps: list[SaliencyMap] = []
    for batch in batches(scenes):
        views = [model.geometry.view(scene.pixels, f"{scene.seed}-{scene.index}") for scene in batch]
        prepared = PreparedBatch(model, views, layer=model.target_layer)
        labels = [OBJECTS.index(scene.object) for scene in batch]
        targets = prepared.targets("label" if target == "object" else target, labels)
        maps += method.explain(prepared, targets, method.options(options))
    return maps


def marked(index: int) -> Scene:
    """Exam picture `index` with the mark of its own object."""
    return render(index, EXAM_SEED, mark=render(index, EXAM_SEED).object)


def weight_in(box: tuple[int, int, int, int], saliency: SaliencyMap) -> float:
    """The share of a map's positive weight in a box (left, top, right, bottom); 0 for a map without any."""
    left, top, right, bottom = box
    positive = np.maximum(saliency.values, 0, dtype=np.float64)
    return float(positive[top:bottom, left:right].sum() / max(positive.sum(), 1e-12))


def overlaps(masks: Sequence[BoolArray], truths: Sequence[BoolArray]) -> list[float]:
    """IoU, image by image; 0 for an empty mask."""
    return [float((mask & truth).sum() / (mask | truth).sum()) for mask, truth in zip(masks, truths, strict=True)]


def largest(values: FloatArray, area: int) -> BoolArray:
    """The `area` pixels with the largest values."""
    mask = np.zeros(values.size, np.bool_)
    mask[np.argsort(-values.ravel(), kind="stable")[:area]] = True
    return mask.reshape(values.shape)


def centred_gaussian() -> FloatArray:
    """What a guess without looking would be."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2
    return np.asarray(np.exp(-(x**2 + y**2) / (2 * (SIZE / 4) ** 2)), np.float32)


def random_map(row: int) -> FloatArray:
    """Smooth noise of the coarseness of a last layer's map."""
    noise = np.random.default_rng((EXAM_SEED, row)).random((8, 8))
    return np.asarray(zoom(noise, SIZE / 8, order=1), np.float32)


def batches(scenes: Iterable[Scene]) -> list[list[Scene]]:
    """In runs of BATCH."""
    items = list(scenes)
    return [items[at : at + BATCH] for at in range(0, len(items), BATCH)]


def main() -> None:
    """Sit the exam."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100, help="pictures to explain")
    parser.add_argument("--held-out", type=int, default=2400, help="pictures to count confusions on")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    parts: dict[str, Sequence[Answer]] = {
        "localisation": localisation([render(index, EXAM_SEED) for index in range(arguments.images)]),
        "corner": corner(arguments.images),
        "names": names(),
        "truth": truth(),
        "confusion": [confusion(arguments.held_out)],
    }
    if arguments.json:
        print(json.dumps({part: [dataclasses.asdict(row) for row in rows] for part, rows in parts.items()}, indent=1))
        return
    for part, rows in parts.items():
        print(f"\n### {part}\n\n" + markdown(rows))


def markdown(rows: Sequence[Answer]) -> str:
    """A table of dataclasses."""
    fields = [field.name for field in dataclasses.fields(rows[0])]
    lines = [" | ".join(fields), "|".join(["---"] * len(fields))]
    lines += [" | ".join(cell(getattr(row, field)) for field in fields) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def cell(value: object) -> str:
    """A value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{class_name}: {got or 'no label'}" for class_name, got in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
