"""What methods that look inside require of a model, and what is said where it is not so."""

from __future__ import annotations

import torch

from lumiscope.errors import ModelError
from lumiscope.models import TorchModel, VisionModel


def require_torch_model(model: VisionModel) -> TorchModel:
    """Return `model`, where a method can see inside it. Errors: `ModelError` for a black box."""
    if not isinstance(model, TorchModel):
        raise ModelError(f"this method looks inside the model; {model.name} can only predict")
    return model


def require_gradient(scores: torch.Tensor, place: str, model: VisionModel) -> None:
    """Errors: `ModelError` where the scores do not depend on `place` by operations that have a gradient."""
    if not scores.requires_grad:
        raise ModelError(
            f"expected scores with a gradient to {place}; {model.name} stops it (by torch.no_grad, detach or "
            "an operation on integers). Use methods without gradients: ablationcam, scorecam, eigencam, lime, rise."
        )
