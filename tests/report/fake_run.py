"""A run without a study: synthetic views, maps, masks and units under the real tables' schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

# Loaded before this file, by conftest.py.
from fake_units import CONCEPTS, PROBING_IMAGES, dissection_tables
from PIL import Image, ImageDraw

from lumiscope.agreement import compare, summarise
from lumiscope.concepts import CATEGORIES
from lumiscope.images import View
from lumiscope.store import Collection, Store
from lumiscope.study import SCHEMAS
from lumiscope.types import (
    BoolArray,
    ByteArray,
    SaliencyMap,
    SegmentMap,
    Target,
)

SIDE = 128
MODELS = ("objects", "shortcut")
IMAGES = ("racer_01", "disc_02", "square_03", "wheel_04")
CLASSES = ("sports car", "racer", "disc", "<b>x</b>&")
LABELS = {"racer_01": 1, "disc_02": 2, "square_03": None, "wheel_04": 3}
PREDICTED = {
    **{("objects", "racer_01"): 0, ("objects", "disc_02"): 2, ("objects", "square_03"): 0, ("objects", "wheel_04"): 3},
    **{("shortcut", "racer_01"): 1, ("shortcut", "disc_02"): 2, ("shortcut", "square_03"): 1},
    ("shortcut", "wheel_04"): 2,
}
METHODS = {"gradcam": "Grad-CAM", "ablationcam": "Ablation-CAM", "scorecam": "Score-CAM", "lime": "LIME"}
RULES = {"gradcam": "max:0.5", "ablationcam": "max:0.5", "scorecam": "max:0.5", "lime": "lime"}
FINDINGS = [
    ("objects predicts the label of 2 of 3 labelled images. It misses racer_01.", "accuracy", 2 / 3, 0.2077, 0.9385),
    ("shortcut: gradcam and lime agree least: mean IoU 0.12.", "mean IoU", 0.1234567, 0.05, 0.19),
]


@dataclass
class FakeRun:
    """What the report asks of `lumiscope.study.Run`, held in memory."""

    folder: Path
    manifest: dict[str, Any]
    mask_rules: dict[str, str] = field(default_factory=lambda: dict(RULES))
    tables: dict[str, pa.Table] = field(default_factory=dict)
    maps: dict[tuple[str, str, str], SaliencyMap] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    truths: dict[str, BoolArray] = field(default_factory=dict)
    probing: dict[str, ByteArray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.folder.name

    def table(self, name: str) -> pa.Table:
        return self.tables.get(name, SCHEMAS[name].empty_table())

    def saliency_map(self, model: str, image: str, method: str) -> SaliencyMap:
        return self.maps[model, image, method]

    def view(self, model: str, image: str) -> View | None:
        return self.views.get(image)

    def truth(self, model: str, image: str) -> BoolArray | None:
        return self.truths.get(image)

    def collection(self, kind: str, scope: dict[str, Any]) -> Collection:
        return Store(self.folder / ".store").collection(kind, scope)

    def probing_pixels(self, image: str) -> ByteArray | None:
        return self.probing.get(image)

    def probing_view(self, model: str, image: str) -> View | None:
        pixels = self.probing.get(image)
        return None if pixels is None else View(pixels, image, (0, 0, SIDE, SIDE), (SIDE, SIDE))


def fake_run(
    folder: Path, *, explained: bool = True, dissected: bool = True, compared: bool = True, found: bool = True
) -> FakeRun:
    """Two models; four images with four methods; three layers of twenty units. Each part can be left out."""
    run = FakeRun(folder, _manifest(explained, dissected))
    run.tables["models"] = _table("models", [_model_row(model) for model in MODELS])
    if explained:
        _explain(run)
    if explained and compared:
        _compare(run)
    if dissected:
        run.probing.update({f"probe_{number:03}": scene(number)[0] for number in range(PROBING_IMAGES - 1)})
        run.tables |= dissection_tables(MODELS)
    if found:
        rows = [_finding(number, *finding) for number, finding in enumerate(FINDINGS, 1)]
        run.tables["findings"] = _table("findings", rows)
    return run


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMAS[name])


def _finding(number: int, claim: str, statistic: str, value: float, low: float, high: float) -> dict[str, Any]:
    test = {"test": "sign-flip permutation test", "p_value": 0.0004, "images": 4, "tables": "agreement_summary"}
    return {"number": number, "claim": claim, "statistic": statistic, "value": value, "low": low, "high": high, **test}


def _model_row(model: str) -> dict[str, Any]:
    return {
        "model": model,
        "spec": "https://models.example/predict" if model == "shortcut" else "world:objects",
        "fingerprint": "3f9a1c" * 10,
        "num_classes": 1000,
        "target_layer": "stage4",
        "input_height": SIDE,
        "input_width": SIDE,
        "geometry": "crop",
        "interpolation": "bilinear",
        "mean": "0.5, 0.5, 0.5",
        "std": "0.25, 0.25, 0.25",
        "notes": ["trained with a planted shortcut"] if model == "shortcut" else [],
    }


def _explain(run: FakeRun) -> None:
    for number, image in enumerate(IMAGES):
        pixels, mask = scene(number)
        run.views[image] = View(pixels, image, (0, 0, SIDE, SIDE), (SIDE, SIDE))
        if image != "square_03":
            run.truths[image] = mask
    keys = [(model, image) for model in MODELS for image in IMAGES]
    for model, image in keys:
        for saliency in _maps(model, image, run.views[image].pixels):
            run.maps[model, image, saliency.method] = saliency
    run.tables["images"] = _table("images", [_image_row(image, run) for image in IMAGES])
    run.tables["predictions"] = _table("predictions", [row for key in keys for row in _prediction_rows(*key)])
    run.tables["explanations"] = _table("explanations", [_explanation(*key, one) for key, one in run.maps.items()])
    skipped = [
        {"what": "image", "name": "broken.jpg", "reason": "it is not a picture (truncated after 312 bytes)"},
        {"what": "mask", "name": "mask of square_03.png", "reason": "it has 64×64 pixels, the image has 128×128"},
    ]
    run.tables["skipped"] = _table("skipped", skipped)


def _image_row(image: str, run: FakeRun) -> dict[str, Any]:
    label = LABELS[image]
    name = None if label is None else CLASSES[label]
    has_mask = image in run.truths
    return {"image": image, "file": f"{image}.png", "class_index": label, "class_name": name, "has_mask": has_mask}


def _prediction_rows(model: str, image: str) -> Iterator[dict[str, Any]]:
    best = PREDICTED[model, image]
    for rank, index in enumerate(((best + step) % len(CLASSES) for step in range(4)), 1):
        name = {"class_index": index, "class_name": CLASSES[index], "short_name": CLASSES[index]}
        chance = {"probability": _probability(model, image) / 4 ** (rank - 1), "logit": 5.0 - rank}
        yield {"model": model, "image": image, "rank": rank, **name, **chance}


def _probability(model: str, image: str) -> float:
    return 0.61 + 0.07 * IMAGES.index(image) + 0.041 * MODELS.index(model)


def _explanation(model: str, image: str, method: str, saliency: SaliencyMap) -> dict[str, Any]:
    label, predicted = LABELS[image], PREDICTED[model, image]
    name = CLASSES[predicted]
    return {
        **{"model": model, "image": image, "method": method, "probability": _probability(model, image)},
        **{"target_index": predicted, "target_name": name, "target_short_name": name},
        "label_index": label,
        "label_short_name": None if label is None else CLASSES[label],
        "correct": None if label is None else label == predicted,
        "layer": saliency.layer,
        "details": json.dumps(dict(saliency.details)),
        "undefined": saliency.details.get("undefined", ""),
    }


def _maps(model: str, image: str, pixels: ByteArray) -> Iterator[SaliencyMap]:
    predicted = PREDICTED[model, image]
    target = Target(predicted, CLASSES[predicted], 5.0, _probability(model, image))
    generator = np.random.default_rng(IMAGES.index(image) + 10 * MODELS.index(model))
    centre = np.array([64, 64]) if model == "objects" else np.array([24, 24])
    for number, method in enumerate(METHODS):
        if method == "lime":
            yield _lime(image, target, generator, centre)
            continue
        empty = model == "shortcut" and image == "square_03" and method != "gradcam"
        values = _blob(centre + generator.normal(0, 9, 2), 22 + 5 * number) * (not empty)
        undefined = {"undefined": "no channel raises the score of this class"} if empty else {}
        yield SaliencyMap(image, method, target, values, layer="stage4", details=undefined)


def _lime(image: str, target: Target, generator: np.random.Generator, centre: Any) -> SegmentMap:
    rows, columns = np.indices((SIDE, SIDE)) // 16
    segments = (rows * 8 + columns).astype(np.int64)
    middle = np.stack(np.divmod(np.arange(64), 8), axis=1) * 16 + 8
    near = np.exp(-((middle - centre) ** 2).sum(axis=1) / 1200)
    coefficients = 0.2 * near - 0.04 + generator.normal(0, 0.02, 64)
    coefficients[np.argsort(-np.abs(coefficients))[24:]] = 0
    return SegmentMap(
        item_id=image,
        method="lime",
        target=target,
        values=coefficients[segments].astype(np.float32),
        details={"intercept": 0.0123456, "r2": 0.61803, "local_prediction": 0.7, "segments": 64},
        segments=segments,
        coefficients=coefficients,
        num_features=10,
    )


def _blob(centre: Any, width: float) -> Any:
    rows, columns = np.indices((SIDE, SIDE))
    distance = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2
    return np.exp(-distance / (2 * width**2)).astype(np.float32)


def _compare(run: FakeRun) -> None:
    parts = [
        compare(
            [run.maps[model, image, method] for image in IMAGES for method in METHODS], truth=run.truths, model=model
        )
        for model in MODELS
    ]
    run.tables["agreement"] = pa.concat_tables([part.to_table() for part in parts])
    run.tables["agreement_summary"] = summarise(parts)


def scene(number: int) -> tuple[ByteArray, BoolArray]:
    """A picture of one shape on a gradient, and where the shape is."""
    generator = np.random.default_rng(number)
    ground, shape = generator.integers(40, 220, 3), generator.integers(0, 256, 3)
    shade = np.linspace(0.6, 1.1, SIDE)[:, None, None]
    picture = Image.fromarray(np.clip(np.broadcast_to(ground * shade, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8))
    mask = Image.new("1", (SIDE, SIDE))
    left, top = generator.integers(20, 50, 2)
    box = (int(left), int(top), int(left) + 56, int(top) + 50)
    for canvas, fill in ((picture, tuple(int(part) for part in shape)), (mask, 1)):
        draw = ImageDraw.Draw(canvas)
        (draw.ellipse if number % 2 else draw.rectangle)(box, fill=fill)
    return np.asarray(picture), np.asarray(mask)


def _manifest(explained: bool, dissected: bool) -> dict[str, Any]:
    method = {"citation": "Somebody et al. 2017", "passes": "1 forward, 1 backward"}
    return {
        "name": "fake",
        "lumiscope": "0.1.0",
        "command": "lumiscope run --images photos --model world:objects --model world:shortcut --seed 7",
        "started": "2026-11-22T23:40:00+00:00",
        "finished": "2026-11-22T23:48:31+00:00",
        "seconds": 511.2,
        "seed": 7,
        "machine": {"system": "Linux-6.1", "python": "3.11.4", "processor": "AMD EPYC", "cores": 4, "threads": 2},
        "versions": {"torch": "2.5.1", "timm": "1.0.11", "numpy": "2.1.0"},
        "images": {"source": "photos", "count": 4, "notes": ["listed more than once: disc_02.png"]}
        if explained
        else None,
        "probe": {"source": "world:probe", "count": 41} if dissected else None,
        "scorer": "world:clip" if dissected else None,
        "similarity": "soft_wpmi" if dissected else None,
        "fdr": 0.05,
        "min_stability": 0.5,
        "similarity_notes": ["soft WPMI wants at least 100 probing images; there are 41"] if dissected else [],
        "concepts": {
            **{"name": "small", "count": 17, "other_share": 1 / 17, "notes": []},
            "categories": {category: list(CONCEPTS.values()).count(category) for category in CATEGORIES},
        }
        if dissected
        else None,
        "methods": {
            name: {**method, "title": title, "options": {"num_samples": 1000, "layer": None}, "mask_rule": RULES[name]}
            for name, title in METHODS.items()
        }
        if explained
        else {},
        "timings": [
            {"model": model, "method": name, "images": 4, "computed": 3, "seconds_each": 0.1834}
            for model in MODELS
            for name in METHODS
        ]
        if explained
        else [],
        "skipped": 2 if explained else 0,
    }
