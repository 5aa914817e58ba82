"""What was found, and what the models say about each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.report.numbers import defined, interval, p_value, significant
from lumiscope.report.page import Page
from lumiscope.report.parts.thumbnail import Thumbnail
from lumiscope.report.registry import section
from lumiscope.report.sections.summary.glance import Glance, glance
from lumiscope.report.sections.summary.judged_images import JudgedImage, judged_images
from lumiscope.runs import FAMILY_RULE, FindingRow, JudgementRow, ModelRow, PredictionRow

IMAGES_SHOWN = 100
Told = tuple[FindingRow, str, tuple[tuple[str, str], ...]]
"""A finding with its evidence in words, and each of its tables with the anchor of where it is shown or named."""


@dataclass(frozen=True)
class Summary:
    """What the section shows. `answered`, `open`: findings whose outcome is known, and the others.

    `rule`: how sure the sentences are; "" where none was tested. `images`: some of `image_count`.
    `assumptions`: for each model of which it was assumed what it sees, what that was.
    """

    answered: tuple[Told, ...]
    open: tuple[Told, ...]
    rule: str
    models: tuple[str, ...]
    tallies: tuple[str, ...]
    assumptions: tuple[str, ...]
    images: tuple[tuple[JudgedImage, Thumbnail], ...]
    image_count: int
    glance: Glance | None


@section("summary", title="Summary", order=10, shows=(FindingRow, JudgementRow, PredictionRow))
def summary(page: Page) -> Summary:
    """The findings, and the predictions beside the labels: of many images those that differ come first.

    Those that a finding names are always there.
    """
    images = judged_images(page)
    described = page.run.rows(ModelRow)
    models = tuple(row.model for row in described)
    judgements, findings = page.run.rows(JudgementRow), page.run.rows(FindingRow)
    return Summary(
        answered=tuple(_told(page, row) for row in findings if not row.outcome.is_open),
        open=tuple(_told(page, row) for row in findings if row.outcome.is_open),
        rule=FAMILY_RULE if any(row.p_value is not None for row in findings) else "",
        models=models,
        tallies=tuple(_tally(model, judgements) for model in models) if images else (),
        assumptions=tuple(_assumption(row) for row in described if row.assumed) if images else (),
        images=tuple((image, _thumbnail(page, image.row.image)) for image in _shown(page, images)),
        image_count=len(images),
        glance=glance(page),
    )


def _shown(page: Page, images: Sequence[JudgedImage]) -> list[JudgedImage]:
    if len(images) <= IMAGES_SHOWN:
        return list(images)
    by_name = {image.row.image: image for image in sorted(images, key=lambda image: not image.differs)}
    return [by_name[name] for name in page.shown_images(list(by_name), IMAGES_SHOWN)]


def _thumbnail(page: Page, image: str) -> Thumbnail:
    css = page.view_class(image)
    return Thumbnail(css, image if css else f"{image}: its file is gone or has changed")


def _tally(model: str, judgements: Sequence[JudgementRow]) -> str:
    judged = [row.correct for row in judgements if row.model == model and row.correct is not None]
    if not judged:
        return f"{model}: no image has a label in its classes"
    wrong, images = judged.count(False), counted(len(judged), "labelled image")
    return f"{model}: differs from the label on {wrong or 'none'} of {images}"


def _assumption(row: ModelRow) -> str:
    return (
        f"{row.model}: what it sees was assumed, as nothing states it: {row.assumed}. If that is wrong, so are its "
        "predictions; --mean, --std and --input-size say it"
    )


def _told(page: Page, row: FindingRow) -> Told:
    return row, _evidence(row), tuple((name, page.table_anchor(name)) for name in row.table_names)


def _evidence(row: FindingRow) -> str:
    """The statistic, interval and test of a finding in one line."""
    parts = []
    if defined(row.value):
        parts.append(f"{row.statistic} {significant(row.value)}".strip())
    if defined(row.low) and defined(row.high):
        parts.append(f"interval {interval(row.low, row.high, 3 if abs(row.high) < 10 else 1)}")
    if defined(row.p_value):
        parts.append(f"{row.test}: {p_value(row.p_value)}" if row.test else p_value(row.p_value))
    elif row.test:
        parts.append(row.test)
    if row.images is not None:
        parts.append(counted(row.images, "image"))
    return " · ".join(parts)
