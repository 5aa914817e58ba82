"""Studies of which it is known what is true: do the sentences of a report say it, and nothing else?

Maps are blobs of the right kind: smooth, fond of the centre, of many sizes. By default they have nothing to do with the
picture, the methods and the models are exchangeable, and the measures of the images are noise; images of one class are
alike. Each effect that is planted makes some sentences true; every other sentence that a report calls shown is false.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lumiscope.agreement import (
    GROUND_TRUTH,
    Agreement,
    cell_map,
    compare_maps,
    compare_masks,
    compare_models,
    compare_other_images,
    measure_map,
    method_differences,
    shared_images,
    summarise,
    summarise_maps,
    with_other_images,
)
from lumiscope.runs import (
    AgreementRow,
    AgreementSummaryRow,
    FindingRow,
    ImageComplexityRow,
    ImageGroups,
    ImageRow,
    JudgementRow,
    MapAgreementRow,
    MapAgreementSummaryRow,
    MapShapeRow,
    MethodDifferenceRow,
    ModelAgreementRow,
    Outcome,
)
from lumiscope.study import DecidedClaim, Tables, decided_claims, finding_rows
from lumiscope.testing._class_noise import class_noise
from lumiscope.testing._planted_trust import write_trust
from lumiscope.testing._planted_units import write_controls, write_units
from lumiscope.testing.fake_row import fake_row
from lumiscope.testing.planted_effects import MODELS, Truth, true_findings
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray

SIDE = 24
METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
RULE = "max:0.5"
CENTRED = 0.15  # standard deviation of places around the centre, in sides of the view
PER_CLASS = 4  # images of a class, where classes cluster images


@dataclass(frozen=True)
class PlantedStudy:
    """The tables of a study, and which findings are true of it."""

    tables: Tables
    true: Mapping[str, Truth]

    @functools.cached_property
    def claims(self) -> list[DecidedClaim]:
        """The claims of its report."""
        return decided_claims(self.tables)

    @functools.cached_property
    def findings(self) -> list[FindingRow]:
        """Its report."""
        return finding_rows(self.claims)

    @property
    def false_sentences(self) -> list[FindingRow]:
        """What its report calls supported though it, or what it names, is not there; or contradicted: nothing is."""
        return [row for row, is_true in self._answered() if not is_true]

    @property
    def supported(self) -> set[str]:
        """The findings that its report calls supported, of any model, and that are true."""
        return {row.finding for row, is_true in self._answered() if is_true}

    def _answered(self) -> Iterator[tuple[FindingRow, bool]]:
        """What is supported or contradicted, and whether that is true."""
        for row, claim in zip(self.findings, self.claims, strict=True):
            truth = self.true.get(row.finding)
            if row.outcome is Outcome.SUPPORTED:
                yield row, truth is not None and truth.holds(row.claim, claim.decision.shown)
            elif row.outcome is Outcome.CONTRADICTED:
                yield row, False


def planted_study(seed: int, images: int, effects: Collection[str] = (), *, clustered: bool = False) -> PlantedStudy:
    """A study of two models and four methods over so many images.

    `effects`: of `EFFECTS`. `clustered`: four images a class, which share a part of what is measured of them.
    """
    rng = np.random.default_rng(seed)
    classes: IntArray = np.arange(images) // (PER_CLASS if clustered else 1)
    names = [f"i{number}" for number in range(images)]
    tables = Tables()
    places = _places(rng, classes)
    trouble = class_noise(rng, classes)  # what makes methods disagree on an image, where something does
    maps = {model: _maps(rng, places, classes, trouble, model, effects) for model in MODELS}
    truths = [_blob(place, 0.2) >= 0.5 for place in places]
    rows = [_image_row(name, kind) for name, kind in zip(names, classes, strict=True)]
    groups = ImageGroups.of(rows)
    tables.write(ImageRow, rows)
    tables.write(ImageComplexityRow, _complexity(rng, names, classes, trouble, "complexity" in effects))
    tables.write(JudgementRow, _judgements(rng, names, classes, trouble, effects))
    _write_masks(tables, names, maps, truths, groups)
    _write_cells(tables, names, maps, rng.random((images, SIDE, SIDE)), groups)
    write_units(tables, rng, MODELS, planted="units" in effects)
    write_controls(tables, rng, MODELS, planted="training" in effects)
    write_trust(tables, rng, names, classes, groups, maps, effects)
    return PlantedStudy(tables, true_findings(effects))


def _places(rng: np.random.Generator, classes: IntArray) -> DoubleArray:
    """(n, 2) places in the unit square that like its centre, and are near to each other in a class."""
    return np.clip(0.5 + CENTRED * np.stack([class_noise(rng, classes), class_noise(rng, classes)], axis=1), 0.1, 0.9)


def _mixed(rng: np.random.Generator, cause: DoubleArray, classes: IntArray, strength: float) -> DoubleArray:
    """(n,) standard normal, correlated with `cause` by `strength`."""
    return np.asarray(strength * cause + math.sqrt(1 - strength**2) * class_noise(rng, classes))


Maps = dict[str, list[FloatArray]]


def _maps(
    rng: np.random.Generator,
    places: DoubleArray,
    classes: IntArray,
    trouble: DoubleArray,
    model: str,
    effects: Collection[str],
) -> Maps:
    images = len(places)
    troubled = bool({"complexity", "confidence", "mistakes"} & set(effects))
    # Methods go astray together with a part of their error, as they look at one network.
    common = rng.normal(0, 0.08, (images, 2))
    maps: Maps = {}
    for number, method in enumerate(METHODS):
        error = rng.normal(0, 0.08, (images, 2))
        if troubled:
            error *= np.exp(0.8 * trouble)[:, np.newaxis]
        if "pair" in effects and number < 2:
            error *= 0.0
        astray = (common + error) * (0.6 if "cover" in effects and number == 0 else 1)
        centres = places + astray if "related" in effects else _places(rng, classes)
        sizes = 0.2 * np.exp(0.2 * class_noise(rng, classes) + 0.2 * rng.normal(0, 1, images))
        if "focused" in effects and number == 1:
            sizes *= np.exp(-0.21)
        if "broadest" in effects and number == 2:
            sizes *= np.exp(0.22)
        if "models" in effects and model == MODELS[1]:
            sizes *= np.exp(0.2)
        steep = 1.0 if not ("sharpest" in effects and number == 3) else 1.21
        maps[method] = [_blob(centre, size, steep) for centre, size in zip(centres, sizes, strict=True)]
    return maps


def _blob(centre: DoubleArray, size: float, steep: float = 1.0) -> FloatArray:
    """(SIDE, SIDE) in [0, 1]: a bump that has half of its height at 1.18 `size` from the centre, whatever `steep`."""
    grid = (np.arange(SIDE) + 0.5) / SIDE
    distance = np.hypot(grid[:, np.newaxis] - centre[0], grid - centre[1]) / (size * math.sqrt(2 * math.log(2)))
    return np.asarray(0.5 ** (distance ** (2 * steep)), np.float32)


def _image_row(name: str, kind: np.int64) -> ImageRow:
    return fake_row(ImageRow, image=name, class_name=f"class {kind}", user_columns={})


def _complexity(
    rng: np.random.Generator, names: list[str], classes: IntArray, trouble: DoubleArray, planted: bool
) -> list[ImageComplexityRow]:
    measures = {
        measure: np.exp(_mixed(rng, trouble, classes, 0.9 if planted else 0.0))
        for measure in ("segments", "edges", "compression", "entropy")
    }
    return [
        ImageComplexityRow(
            image=name, objects=math.nan, **{measure: float(values[row]) for measure, values in measures.items()}
        )
        for row, name in enumerate(names)
    ]


def _judgements(
    rng: np.random.Generator,
    names: list[str],
    classes: IntArray,
    trouble: DoubleArray,
    effects: Collection[str],
) -> list[JudgementRow]:
    rows = []
    for model in MODELS:
        doubt = _mixed(rng, trouble, classes, 0.9 if "confidence" in effects else 0.0)
        mistaken = _mixed(rng, trouble, classes, 0.95 if "mistakes" in effects else 0.0) > 0.5
        probability = 1 / (1 + np.exp(doubt - 1))
        rows += [
            fake_row(
                JudgementRow,
                model=model,
                image=name,
                probability=float(probability[row]),
                correct=not mistaken[row],
                mask_shows_label=True,
            )
            for row, name in enumerate(names)
        ]
    return rows


def _write_masks(
    tables: Tables, names: list[str], maps: Mapping[str, Maps], truths: list[BoolArray], groups: ImageGroups
) -> None:
    """All that a run makes of maps and masks, by the code of a run."""
    masks: dict[str, dict[str, dict[str, BoolArray]]] = {
        model: {
            name: {
                **{method: of_method[row] >= 0.5 for method, of_method in of_model.items()},
                GROUND_TRUTH: truths[row],
            }
            for row, name in enumerate(names)
        }
        for model, of_model in maps.items()
    }
    agreement: list[AgreementRow] = []
    for model, of_images in masks.items():
        for name, of_image in of_images.items():
            pairs = compare_masks(name, {method: (mask, RULE) for method, mask in of_image.items()})
            agreement += Agreement(tuple(pairs), model).table_rows()
    others = {model: compare_other_images(of_images, groups=groups) for model, of_images in masks.items()}
    agreement = with_other_images(agreement, others)
    tables.write(AgreementRow, agreement)
    tables.write(AgreementSummaryRow, summarise(agreement, others, groups=groups))
    tables.write(
        ModelAgreementRow,
        [
            row
            for method in METHODS
            for of_images in [{name: {model: masks[model][name][method] for model in MODELS} for name in names}]
            for row in compare_models(method, of_images, groups=groups)
        ],
    )
    shapes = [
        MapShapeRow(
            model=model,
            image=name,
            method=method,
            **vars(measure_map(of_method[row], truths[row])),
            covered=math.nan,
        )
        for model, of_model in maps.items()
        for row, name in enumerate(names)
        for method, of_method in of_model.items()
    ]
    tables.write(MapShapeRow, shapes)
    differences = []
    for model in MODELS:
        truth: dict[str, dict[str, float]] = {method: {} for method in METHODS}
        for row in agreement:
            if row.model == model and row.method_b == GROUND_TRUTH:
                truth[row.method_a][row.image] = row.iou
        differences += method_differences(model, "truth", truth, groups(shared_images(truth)))
    tables.write(MethodDifferenceRow, differences)


def _write_cells(
    tables: Tables, names: list[str], maps: Mapping[str, Maps], edges: DoubleArray, groups: ImageGroups
) -> None:
    """What a run makes of maps without masks."""
    rows: list[MapAgreementRow] = []
    summary: list[MapAgreementSummaryRow] = []
    for model, of_model in maps.items():
        cells = {
            name: {method: cell_map(of_method[row], edges[row]) for method, of_method in of_model.items()}
            for row, name in enumerate(names)
        }
        of_images = [row for name, of_image in cells.items() for row in compare_maps(model, name, of_image)]
        rows += of_images
        summary += summarise_maps(of_images, cells, groups=groups)
    tables.write(MapAgreementRow, rows)
    tables.write(MapAgreementSummaryRow, summary)
