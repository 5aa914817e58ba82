"""What a model says of an image, and whether that is its label."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.runs import JudgementRow, PredictionRow


@dataclass(frozen=True)
class Verdict:
    """The most probable class, marked where it is not the label, with its probability.

    `judgement`: None where nothing says what the label is. `has_label`: whether the image has a label at all.
    `says_no_label`: whether it is said where it has none.
    """

    prediction: PredictionRow
    judgement: JudgementRow | None
    has_label: bool
    says_no_label: bool = True

    @property
    def correct(self) -> bool | None:
        """Whether the prediction is the label; None where the model has no such class, or there is no label."""
        return None if self.judgement is None else self.judgement.correct
