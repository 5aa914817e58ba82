"""What is explained on each image: a class or unit, and its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from lumiscope.errors import TargetError
from lumiscope.models import VisionModel, class_index
from lumiscope.types import FloatArray, Target


def choose_targets(
    model: VisionModel, logits: FloatArray, wanted: str | int, labels: Sequence[int | None], item_ids: Sequence[str]
) -> list[int]:
    """Decide what to explain: "predicted", "label" (where there is none: the prediction), an index or a name.

    `logits`: (B, classes) raw scores. `labels`, `item_ids`: of the B images. Returns the column of each image's target.
    Errors: `TargetError` for a class that does not exist, or logits that are not finite.
    """
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        ids = [item_ids[int(row)] for row in np.flatnonzero(~finite)]
        raise TargetError(
            f"expected finite scores; {model.name} gives NaN or infinity for {', '.join(ids)}. "
            "Check its weights and its preprocessing (mean, std)."
        )
    predicted = logits.argmax(axis=1)
    if wanted == "predicted":
        chosen = list(predicted)
    elif wanted == "label":
        chosen = [best if label is None else label for label, best in zip(labels, predicted, strict=True)]
    else:
        chosen = [class_index(model, wanted)] * len(logits)
    return [int(index) for index in chosen]


def target_scores(logits: torch.Tensor, targets: Sequence[Target]) -> torch.Tensor:
    """(N,) the score of each row's target."""
    return logits[torch.arange(len(logits)), [target.index for target in targets]]
