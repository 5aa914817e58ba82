"""Images with their labels, and what every model says of them."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.labels import class_names, label_text
from lumiscope.report.page import Page
from lumiscope.report.parts.verdict import Verdict
from lumiscope.runs import ImageRow, JudgementRow, ModelRow, PredictionRow


@dataclass(frozen=True)
class JudgedImage:
    """One image. `label`: as readers see it, None where there is none. `verdicts`: of each model, None without one."""

    row: ImageRow
    label: str | None
    verdicts: tuple[Verdict | None, ...]

    @property
    def differs(self) -> bool:
        """Whether some model's prediction is not the label."""
        return any(verdict is not None and verdict.correct is False for verdict in self.verdicts)


def judged_images(page: Page) -> list[JudgedImage]:
    """The images in the order of their table; none where no model predicted anything."""
    predictions = {(row.model, row.image): row for row in page.run.rows(PredictionRow) if row.rank == 1}
    judgements = {(row.model, row.image): row for row in page.run.rows(JudgementRow)}
    models = [row.model for row in page.run.rows(ModelRow)]
    images = []
    for row in page.run.rows(ImageRow) if predictions else ():
        keys = [(model, row.image) for model in models]
        label = _label(row, [judgements[key] for key in keys if key in judgements])
        verdicts = (_verdict(predictions.get(key), judgements.get(key), label) for key in keys)
        images.append(JudgedImage(row, label, tuple(verdicts)))
    return images


def _label(image: ImageRow, judgements: list[JudgementRow]) -> str | None:
    """The label as the first model that knows it calls it; all names where an image is labelled for several tasks."""
    known = [row.label_short_name for row in judgements if row.label_short_name is not None]
    return known[0] if known and len(class_names(image.class_name)) <= 1 else label_text(image.class_name)


def _verdict(prediction: PredictionRow | None, judgement: JudgementRow | None, label: str | None) -> Verdict | None:
    # That there is no label stands in a column of its own.
    return None if prediction is None else Verdict(prediction, judgement, label is not None, says_no_label=False)
