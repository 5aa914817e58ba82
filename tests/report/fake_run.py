"""A run without a study: synthetic views, maps, masks and units as rows of the real tables. Needs no torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

# Loaded before this file, by conftest.py.
from fake_agreement import agreement_rows, method_mask
from fake_manifest import fake_manifest
from fake_units import PROBING_IMAGES, dissection_rows
from PIL import Image, ImageDraw

from lumiscope.images import View
from lumiscope.memo import Memo
from lumiscope.runs import (
    GROUND_TRUTH,
    TRUTH_RULE,
    ExplanationRow,
    FindingRow,
    ImageRow,
    JudgementRow,
    Manifest,
    MaskRow,
    ModelRow,
    NoMap,
    PredictionRow,
    SkippedRow,
)
from lumiscope.testing import fake_row
from lumiscope.types import BoolArray, ByteArray, SaliencyMap, SegmentMap, Target

Row = TypeVar("Row")
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


class FakeRun:
    """A `RunReader` that holds all in memory, so that tests can change it. `tables`: rows by their dataclass."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self.tables: dict[type[Any], list[Any]] = {}
        self.maps: dict[tuple[str, str, str], SaliencyMap] = {}
        self.masks: dict[tuple[str, str, str], BoolArray] = {}
        self.views: dict[str, View] = {}
        self.probing: dict[str, ByteArray] = {}
        self.memo = Memo()

    def change(self, row: type[Row], change: Callable[[Row], Mapping[str, Any]]) -> None:
        """Give each row of a table the values that `change` names for it."""
        self.tables[row] = [dataclasses.replace(old, **change(old)) for old in self.tables[row]]

    def change_manifest(self, **changes: Any) -> None:
        """Give the manifest other values."""
        self._manifest = self._manifest.model_copy(update=changes)

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def rows(self, row: type[Row]) -> list[Row]:
        return self.tables.get(row, [])

    def saliency_map(self, model: str, image: str, method: str) -> SaliencyMap:
        return self.maps[model, image, method]

    def mask(self, model: str, image: str, method: str) -> BoolArray | None:
        return self.masks.get((model, image, method))

    def view(self, model: str, image: str) -> View | None:
        return self.views.get(image)

    def probing_pixels(self, image: str) -> ByteArray | None:
        return self.probing.get(image)

    def probing_view(self, model: str, image: str) -> View | None:
        pixels = self.probing.get(image)
        return None if pixels is None else _view(pixels, image)


def fake_run(
    folder: Path, *, explained: bool = True, dissected: bool = True, compared: bool = True, concluded: bool = True
) -> FakeRun:
    """Two models; four images with four methods; three layers of twenty units. Each part can be left out."""
    run = FakeRun(folder, fake_manifest(explained, dissected, models=MODELS, methods=METHODS, rules=RULES))
    run.tables[ModelRow] = [_model_row(model) for model in MODELS]
    if explained:
        _explain(run)
    if explained and compared:
        run.tables |= agreement_rows(run.masks, MODELS, IMAGES)
    if dissected:
        run.probing.update({name: scene(number)[0] for number, name in enumerate(PROBING_IMAGES[:-1])})
        run.tables |= dissection_rows(MODELS)
    if concluded:
        run.tables[FindingRow] = [_finding(number, *finding) for number, finding in enumerate(FINDINGS, 1)]
    return run


def _view(pixels: ByteArray, image: str) -> View:
    return View(pixels, image, (0, 0, SIDE, SIDE), (SIDE, SIDE))


def _finding(number: int, claim: str, statistic: str, value: float, low: float, high: float) -> FindingRow:
    test = {"test": "sign-flip permutation test", "p_value": 0.0004, "images": 4, "tables": "agreement_summary"}
    facts = {"low": low, "high": high, **test}
    return fake_row(FindingRow, number=number, claim=claim, statistic=statistic, value=value, **facts)


def _model_row(model: str) -> ModelRow:
    return fake_row(
        ModelRow,
        model=model,
        spec="https://models.example/predict" if model == "shortcut" else "world:objects",
        fingerprint="3f9a1c" * 10,
        num_classes=1000,
        target_layer="stage4",
        input_height=SIDE,
        input_width=SIDE,
        geometry="crop",
        interpolation="bilinear",
        mean="0.5, 0.5, 0.5",
        std="0.25, 0.25, 0.25",
        notes=("trained with a planted shortcut",) if model == "shortcut" else (),
    )


def _explain(run: FakeRun) -> None:
    keys = [(model, image) for model in MODELS for image in IMAGES]
    for number, image in enumerate(IMAGES):
        pixels, truth = scene(number)
        run.views[image] = _view(pixels, image)
        if image != "square_03":
            run.masks |= {(model, image, GROUND_TRUTH): truth for model in MODELS}
    for model, image in keys:
        for saliency in _maps(model, image):
            run.maps[model, image, saliency.method] = saliency
            run.masks[model, image, saliency.method] = method_mask(saliency)
    run.tables[ImageRow] = [_image_row(image) for image in IMAGES]
    run.tables[PredictionRow] = [row for key in keys for row in _prediction_rows(*key)]
    run.tables[JudgementRow] = [_judgement(*key) for key in keys]
    run.tables[ExplanationRow] = [_explanation(*key, saliency) for key, saliency in run.maps.items()]
    run.tables[MaskRow] = [_mask_row(*key, mask) for key, mask in run.masks.items()]
    run.tables[SkippedRow] = [
        SkippedRow(what="image", name="broken.jpg", reason="it is not a picture (truncated after 312 bytes)"),
        SkippedRow(what="mask", name="square_03.png", reason="it has 64×64 pixels, the image has 128×128"),
    ]


def _image_row(image: str) -> ImageRow:
    label = LABELS[image]
    name = None if label is None else CLASSES[label]
    return fake_row(ImageRow, image=image, file=f"{image}.png", class_index=label, class_name=name)


def _prediction_rows(model: str, image: str) -> Iterator[PredictionRow]:
    best = PREDICTED[model, image]
    for rank, index in enumerate(((best + step) % len(CLASSES) for step in range(4)), 1):
        name = {"class_index": index, "class_name": CLASSES[index], "short_name": CLASSES[index]}
        score = {"probability": _probability(model, image) / 4 ** (rank - 1), "logit": 5.0 - rank}
        yield PredictionRow(model=model, image=image, rank=rank, **name, **score)


def _probability(model: str, image: str) -> float:
    return 0.61 + 0.07 * IMAGES.index(image) + 0.041 * MODELS.index(model)


def _judgement(model: str, image: str) -> JudgementRow:
    label, predicted = LABELS[image], PREDICTED[model, image]
    return fake_row(
        JudgementRow,
        model=model,
        image=image,
        target_index=predicted,
        target_name=CLASSES[predicted],
        target_short_name=CLASSES[predicted],
        probability=_probability(model, image),
        label_index=label,
        label_short_name=None if label is None else CLASSES[label],
        correct=None if label is None else label == predicted,
    )


def _explanation(model: str, image: str, method: str, saliency: SaliencyMap) -> ExplanationRow:
    return fake_row(
        ExplanationRow,
        model=model,
        image=image,
        method=method,
        layer=saliency.layer,
        details=json.dumps(dict(saliency.details)),
        reason=NoMap.UNDEFINED if "undefined" in saliency.details else None,
        reason_detail=saliency.details.get("undefined", ""),
        warnings=saliency.warnings,
    )


def _mask_row(model: str, image: str, method: str, mask: BoolArray) -> MaskRow:
    rule = RULES.get(method, TRUTH_RULE)
    return fake_row(MaskRow, model=model, image=image, method=method, rule=rule, area=float(mask.mean()))


def _maps(model: str, image: str) -> Iterator[SaliencyMap]:
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
    )


def _blob(centre: Any, width: float) -> Any:
    rows, columns = np.indices((SIDE, SIDE))
    distance = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2
    return np.exp(-distance / (2 * width**2)).astype(np.float32)


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
