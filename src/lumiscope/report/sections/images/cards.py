"""One image as each model sees it, with every map that explains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lumiscope.images import View
from lumiscope.report.labels import class_names, label_text
from lumiscope.report.outline import enlarge, enlargement
from lumiscope.report.overlaps import Overlap, overlaps
from lumiscope.report.page import Page
from lumiscope.report.parts.map_figure import MapFigure, coefficient_scale
from lumiscope.report.parts.mask_figure import MaskFigure
from lumiscope.report.parts.verdict import Verdict
from lumiscope.report.picture import Picture
from lumiscope.report.sections.images.why import Why, why
from lumiscope.runs import (
    GROUND_TRUTH,
    AgreementRow,
    ExplanationRow,
    ImageRow,
    JudgementRow,
    MaskRow,
    ModelRow,
    ObservationRow,
    PredictionRow,
    accounts_of,
    disagreement,
)
from lumiscope.types import SaliencyMap

Key = tuple[str, str]  # a model and an image
Row = TypeVar("Row", AgreementRow, ExplanationRow, MaskRow, ObservationRow)


@dataclass(frozen=True)
class Card:
    """One image as one model sees it. `judgement`: what is explained. `view`: None where the file is gone or changed.

    `assumed`: of the model's preprocessing, "" for nothing. `truth`: the true mask, where there is one. `disagreement`:
    where the methods rank pixels most differently; None with a single one. `observations`: of each method, what there
    is to see. `why`: the units that made the prediction; None where no layer was dissected.
    """

    model: str
    assumed: str
    verdict: Verdict | None
    judgement: JudgementRow
    view: Picture | None
    truth: MaskFigure | None
    maps: tuple[MapFigure, ...]
    disagreement: MapFigure | None
    observations: tuple[tuple[str, str], ...]
    why: Why | None
    overlaps: tuple[Overlap[AgreementRow], ...]


@dataclass(frozen=True)
class ImageCards:
    """One image with a card for each model."""

    row: ImageRow
    cards: tuple[Card, ...]

    @property
    def differs(self) -> bool:
        """Whether some model's prediction is not the label."""
        return any(card.verdict is not None and card.verdict.correct is False for card in self.cards)


class CardMaker:
    """Makes the cards of a run, image by image."""

    def __init__(self, page: Page) -> None:
        run = page.run
        self._page = page
        self._assumed = {row.model: row.assumed for row in run.rows(ModelRow)}
        self._images = {row.image: row for row in run.rows(ImageRow)}
        self._predictions = {(row.model, row.image): row for row in run.rows(PredictionRow) if row.rank == 1}
        self._judgements = {(row.model, row.image): row for row in run.rows(JudgementRow)}
        self._accounts = {(account.model, account.image): account for account in accounts_of(run)}
        self._explanations = _by_card(run.rows(ExplanationRow))
        self._masks = _by_card(run.rows(MaskRow))
        self._observations = _by_card(run.rows(ObservationRow))
        self._agreements = _by_card(run.rows(AgreementRow))

    @property
    def images(self) -> list[str]:
        """The images that have explanations, in order."""
        return list(dict.fromkeys(image for _, image in self._explanations))

    def image_cards(self, image: str) -> ImageCards:
        """One image."""
        keys = [key for key in self._explanations if key[1] == image]
        maps = {
            (row.model, row.method): self._page.run.saliency_map(row.model, image, row.method)
            for key in keys
            for row in self._explanations[key]
            if not row.undefined
        }
        # One scale for all models, so that their segment colours can be compared.
        scale = coefficient_scale(maps.values())
        return ImageCards(self._images[image], tuple(self._card(key, maps, scale) for key in keys))

    def _card(self, key: Key, maps: Mapping[tuple[str, str], SaliencyMap], scale: float) -> Card:
        model, image = key
        view = self._page.run.view(model, image)
        prediction, account = self._predictions.get(key), self._accounts.get(key)
        has_label = label_text(self._images[image].class_name) is not None
        verdict = None if prediction is None else Verdict(prediction, self._judgements.get(key), has_label)
        return Card(
            model=model,
            assumed=self._assumed.get(model, ""),
            verdict=verdict,
            judgement=self._judgements[key],
            view=None if view is None else _view_picture(view, f"{image} as {model} sees it"),
            truth=None if view is None else self._mask(key, GROUND_TRUTH, view),
            maps=() if view is None else tuple(self._maps(key, view, maps, scale)),
            disagreement=None if view is None else self._disagreement(key, view, maps, scale),
            observations=tuple(
                (self._page.method_title(row.method), row.text) for row in self._observations.get(key, ())
            ),
            why=None if account is None else why(account),
            overlaps=overlaps(self._agreements.get(key, ()), self._page),
        )

    def _maps(
        self, key: Key, view: View, maps: Mapping[tuple[str, str], SaliencyMap], scale: float
    ) -> Iterable[MapFigure]:
        model, image = key
        subject = f"{image}, class {self._judgements[key].target_short_name}"
        for row in self._explanations[key]:
            title = self._page.method_title(row.method)
            if row.undefined:
                yield MapFigure(title, None, undefined=row.undefined)
                continue
            mask = self._mask(key, row.method, view)
            yield MapFigure.of(title, view, maps[model, row.method], scale=scale, subject=subject, mask=mask)

    def _disagreement(
        self, key: Key, view: View, maps: Mapping[tuple[str, str], SaliencyMap], scale: float
    ) -> MapFigure | None:
        model, image = key
        shown = {method: saliency.display() for (owner, method), saliency in maps.items() if owner == model}
        if len(shown) < 2:
            return None
        values = disagreement(shown)
        first = next(saliency for (owner, _), saliency in maps.items() if owner == model)
        figure = SaliencyMap(image, "disagreement", first.target, values, shown=values)
        return MapFigure.of("Disagreement", view, figure, scale=scale, subject=f"{image}, {model}", mask=None)

    def _mask(self, key: Key, method: str, view: View) -> MaskFigure | None:
        model, image = key
        row = next((row for row in self._masks.get(key, ()) if row.method == method), None)
        mask = None if row is None else self._page.run.mask(model, image, method)
        if row is None or mask is None:
            return None
        title = self._page.method_title(method)
        if method == GROUND_TRUTH:
            shows = next(iter(class_names(self._images[image].class_name)), "")
            return MaskFigure.of(row, f"the {title}", view, mask, shows=shows)
        pairs = (pair for pair in self._agreements.get(key, ()) if pair.method_b == GROUND_TRUTH)
        iou = next((pair.iou for pair in pairs if pair.method_a == method), None)
        return MaskFigure.of(row, title, view, mask, iou=iou)


def _by_card(rows: Sequence[Row]) -> dict[Key, list[Row]]:
    cards: dict[Key, list[Row]] = {}
    for row in rows:
        cards.setdefault((row.model, row.image), []).append(row)
    return cards


def _view_picture(view: View, alt: str) -> Picture:
    return Picture.of(enlarge(view.pixels, enlargement(view.pixels)), alt)
