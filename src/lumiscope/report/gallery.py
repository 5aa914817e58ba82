"""Each image with what every model and method say about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lumiscope.agreement import GROUND_TRUTH, make_mask
from lumiscope.report.embed import Picture
from lumiscope.report.labels import class_names, label_text
from lumiscope.report.outline import enlarge, enlargement
from lumiscope.report.pairs import Pair, method_titles, pairs_of
from lumiscope.report.pictures import MapFigure, MaskFigure, coefficient_scale, map_figure, mask_figure
from lumiscope.report.summary import Prediction, predictions_of
from lumiscope.report.why import Why, whys_of

if TYPE_CHECKING:
    from lumiscope.images import View
    from lumiscope.study import Run
    from lumiscope.types import BoolArray, SaliencyMap

IMAGES_SHOWN = 40
IMAGES_OPEN = 12
TABLES_OPEN = 2  # images whose tables of IoU are unfolded; of more, the pictures come first
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """One image as one model sees it. `view` is None where the image file is gone or has changed.

    `targets`: the explained classes with their probabilities, mostly one. `truth`: the true mask, where there is one.
    `why`: the units that made the prediction; None where no layer was dissected.
    """

    model: str
    prediction: Prediction | None
    targets: tuple[tuple[str, float], ...]
    view: Picture | None
    truth: MaskFigure | None
    why: Why | None
    maps: tuple[MapFigure, ...]
    pairs: tuple[Pair, ...]

    @property
    def correct(self) -> bool | None:
        """Whether the prediction is the label; None where there is no label."""
        return self.prediction.correct if self.prediction else None


@dataclass(frozen=True)
class ImageCards:
    """One image with a card for each model. `label`: as the image list names it. `caption`: what it shows, or ""."""

    image: str
    file: str
    label: str | None
    caption: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Gallery:
    """View data of the section. `total`: how many images were explained; `images` has the first of them."""

    images: tuple[ImageCards, ...]
    total: int

    def __bool__(self) -> bool:
        return bool(self.images)


def gallery_of(run: Run) -> Gallery:
    """Build the cards of the first `IMAGES_SHOWN` images that have explanations."""
    explained: dict[str, dict[str, list[Row]]] = {}
    for row in run.table("explanations").to_pylist():
        explained.setdefault(row["image"], {}).setdefault(row["model"], []).append(row)
    overlaps: dict[tuple[str, str], list[Row]] = {}
    for row in run.table("agreement").to_pylist():
        overlaps.setdefault((row["image"], row["model"]), []).append(row)
    items = {row["image"]: row for row in run.table("images").to_pylist()}
    predictions = predictions_of(run)
    whys = whys_of(run)
    images = []
    for image in list(explained)[:IMAGES_SHOWN]:
        by_model = explained[image]
        maps = _maps(run, image, by_model)
        # One scale for all models, so that their segment colours can be compared.
        scale = coefficient_scale(maps.values())
        item = items[image]
        cards = [
            replace(
                _card(run, rows, maps, scale, item, overlaps.get((image, model), []), predictions.get((model, image))),
                why=whys.get((model, image)),
            )
            for model, rows in by_model.items()
        ]
        label, caption = label_text(item["class_name"]), item.get("caption") or ""
        images.append(ImageCards(image, item["file"], label, caption, tuple(cards)))
    return Gallery(tuple(images), len(explained))


def _maps(run: Run, image: str, by_model: Mapping[str, Sequence[Row]]) -> dict[tuple[str, str], SaliencyMap]:
    return {
        (model, row["method"]): run.saliency_map(model, image, row["method"])
        for model, rows in by_model.items()
        for row in rows
        if not row["undefined"]
    }


def _card(
    run: Run,
    rows: Sequence[Row],
    maps: Mapping[tuple[str, str], SaliencyMap],
    scale: float,
    item: Row,
    overlaps: Sequence[Row],
    prediction: Prediction | None,
) -> Card:
    model, image = rows[0]["model"], rows[0]["image"]
    titles = method_titles(run.manifest)
    view = run.view(model, image)
    targets = dict.fromkeys((row["target_short_name"], row["probability"]) for row in rows)
    picture = (
        Picture.of(enlarge(view.pixels, enlargement(view.pixels)), f"{image} as {model} sees it") if view else None
    )
    truth = run.truth(model, image) if view else None
    return Card(
        model=model,
        prediction=prediction,
        targets=tuple(targets),
        view=picture,
        truth=_truth(view, truth, item) if view and truth is not None else None,
        why=None,
        maps=tuple(_map(row, view, maps, scale, titles, run.mask_rules, overlaps) for row in rows) if view else (),
        pairs=pairs_of(overlaps, titles),
    )


def _truth(view: View, mask: BoolArray, item: Row) -> MaskFigure:
    figure = mask_figure("the ground truth", view, mask, "", item["image"])
    return replace(figure, shows=next(iter(class_names(item["class_name"])), ""))


def _map(
    row: Row,
    view: View,
    maps: Mapping[tuple[str, str], SaliencyMap],
    scale: float,
    titles: Mapping[str, str],
    rules: Mapping[str, str],
    overlaps: Sequence[Row],
) -> MapFigure:
    title = titles.get(row["method"], row["method"])
    saliency = maps.get((row["model"], row["method"]))
    if saliency is None:
        return MapFigure(title, None, undefined=row["undefined"])
    figure = map_figure(title, view, saliency, scale, f"{row['image']}, class {row['target_short_name']}")
    rule = rules[row["method"]]
    mask = mask_figure(title, view, make_mask(saliency, rule), rule, row["image"])
    against_truth = (one for one in overlaps if (one["method_a"], one["method_b"]) == (row["method"], GROUND_TRUTH))
    iou = next((one["iou"] for one in against_truth), None)
    return replace(figure, mask=replace(mask, iou_with_truth=iou))
