"""Do the explanations agree with each other, and with the true masks?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.report.numbers import defined
from lumiscope.report.pairs import Pair, method_titles, pairs_of
from lumiscope.study import models_with_foreign_masks

if TYPE_CHECKING:
    from lumiscope.study import Run


@dataclass(frozen=True)
class ModelAgreement:
    """The mean overlaps of one model, highest first: of pairs of methods, and of methods with the true masks.

    `foreign_masks`: whether these masks show something else than the model's labels.
    """

    model: str
    methods: tuple[Pair, ...]
    truth: tuple[Pair, ...]
    foreign_masks: bool


@dataclass(frozen=True)
class Undefined:
    """An overlap that has no value, and why."""

    model: str
    image: str
    pair: str
    reason: str


@dataclass(frozen=True)
class Agreement:
    """View data of the section. It is empty where the study compared nothing."""

    models: tuple[ModelAgreement, ...]
    undefined: tuple[Undefined, ...]

    def __bool__(self) -> bool:
        return bool(self.models or self.undefined)


def agreement_of(run: Run) -> Agreement:
    """Build the section from `agreement_summary`, and from `agreement` for what is undefined."""
    titles = method_titles(run.manifest)
    rows = run.table("agreement_summary").to_pylist()
    foreign = models_with_foreign_masks(run.table("explanations"))
    models = []
    for model in dict.fromkeys(row["model"] for row in rows):
        pairs = pairs_of((row for row in rows if row["model"] == model), titles)
        truth = tuple(pair for pair in pairs if pair.against_truth)
        methods = tuple(pair for pair in pairs if not pair.against_truth)
        models.append(ModelAgreement(model, methods, truth, model in foreign))
    undefined = tuple(
        Undefined(
            row["model"],
            row["image"],
            f"{titles.get(row['method_a'], row['method_a'])} and {titles.get(row['method_b'], row['method_b'])}",
            row["reason"] or "no reason was given",
        )
        for row in run.table("agreement").to_pylist()
        if not defined(row["iou"])
    )
    return Agreement(tuple(models), undefined)
