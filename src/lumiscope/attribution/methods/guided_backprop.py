"""Guided backpropagation: gradients that every ReLU lets through only where they are positive.

Source: Springenberg et al. 2015, "Striving for Simplicity: The All Convolutional Net".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lumiscope.attribution.gradients import gradient_method, strongest
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target

IN_PLACE = (torch.relu_, torch.Tensor.relu_)  # the functional module's relu_ is torch's own
NO_RELU = "no ReLU was met: this is the plain gradient, as in saliency"
RELUS = (functional.relu, torch.relu, torch.Tensor.relu, *IN_PLACE)


@gradient_method(
    "guided_backprop",
    title="Guided backpropagation",
    citation="Springenberg et al. 2015, Striving for Simplicity: The All Convolutional Net, arXiv:1412.6806",
    passes="1 forward and backward",
)
def guided_backprop(inputs: PreparedInputs, targets: Sequence[Target], options: FlipOptions) -> list[PixelMap]:
    """max over channels of |guided dS/dx|; at least 0.

    Every ReLU counts, as a module or a function, in place or not, reused or not, and so does ReLU6, which is not in the
    paper. Other activations (GELU, SiLU) and scripted modules pass gradients as ever; a network with no ReLU has the
    map of `saliency`, and the details warn of it.
    """
    with GuidedRectifiers() as guided:
        gradient = inputs.gradients(targets)
    details = {} if guided.met else {"warnings": [NO_RELU]}
    return [PixelMap(values, details) for values in strongest(gradient)]


class GuidedRectifiers(TorchFunctionMode):
    """Inside this context every ReLU passes back only positive gradients. The modules themselves are not touched.

    `met`: how many calls of ReLUs there were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        cap = _cap(func, given)
        if cap is None:
            return func(*args, **given)
        self.met += 1
        inputs = args[0] if args else given["input"]
        outputs = _guided(inputs, cap)
        if func in IN_PLACE or given.get("inplace"):
            return inputs.copy_(outputs)
        return outputs


def _cap(func: Any, given: dict[str, Any]) -> float | None:
    """Where the rectifier `func` saturates; None for every other function."""
    if func in RELUS:
        return float("inf")
    if func is functional.relu6:
        return 6.0
    if func is functional.hardtanh and given.get("min_val") == 0:  # what the module ReLU6 calls
        return float(given["max_val"])
    return None


def _guided(inputs: torch.Tensor, cap: float) -> torch.Tensor:
    copied = inputs.clone()  # a tensor of this ReLU alone: the gradient of other uses of the input stays as it is
    if copied.requires_grad:
        copied.register_hook(lambda gradient: gradient.clamp(min=0))  # type: ignore[no-untyped-call]
    return torch.relu(copied) if cap == float("inf") else functional.hardtanh(copied, 0.0, cap)
