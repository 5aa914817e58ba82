"""What made the numbers of a network, as autograd tells: from its last operation back to the first that says it.

Why this is hard: a network cut off before its classifier has no sign but this. Scores come from a layer that weighs
classes, features from what stands between layers: a norm, an activation, a skip connection. Nothing is known of a
tensor without a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

VIEWS = frozenset({"View", "Squeeze", "Unsqueeze", "Select", "Slice", "T", "Transpose", "Permute", "Clone", "ToCopy"})
VIEWS |= {"AsStrided", "Flip", "Expand", "UnsafeView", "ReshapeAlias", "Alias", "Unbind", "Split"}
AVERAGES = frozenset({"Mean", "Sum", "AvgPool2D", "AdaptiveAvgPool2D", "MkldnnAdaptiveAvgPool2D"})
MAXIMA = frozenset({"MaxPool2DWithIndices", "AdaptiveMaxPool2D", "Max", "Amax"})
POWERS = frozenset({"Pow", "Clamp", "ClampMin"})  # of generalised means
LINEAR = frozenset({"Addmm", "Mm", "Bmm", "Baddbmm", "Addmv", "Mv", "Convolution", "Linear"})
WEIGHTED = frozenset({"Convolution", "Linear"})  # of LINEAR; of the others the weight is the second matrix
NORMS = frozenset({"NativeLayerNorm", "NativeGroupNorm", "NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm"})
ACTIVATIONS = frozenset({"Relu", "LeakyRelu", "PreluKernel", "Hardtanh", "Elu", "Celu", "Gelu", "Silu", "Hardswish"})
ACTIVATIONS |= {"Mish", "Tanh"}
GATES = frozenset({"Sigmoid", "Hardsigmoid"})
NARROWING = 4  # channels of a convolution by those that it gives, from which on it may weigh classes behind a norm


def is_linear(scores: torch.Tensor) -> bool:
    """Whether a layer without bounds made `scores`: that they lie in [0, 1] is then by chance.

    Only views and means may come after it.
    """
    step = scores.grad_fn
    while step is not None and _operation(step) in VIEWS | {"Mean"}:
        step = _before(step)
    return step is not None and _operation(step) in LINEAR


def last_weight(numbers: torch.Tensor) -> torch.Tensor | None:
    """The weight of the linear layer in which `numbers` end, whatever views and means come after it; None: unknown."""
    step = numbers.grad_fn
    while step is not None and _operation(step) in VIEWS | AVERAGES:
        step = _before(step)
    if step is None or _operation(step) not in LINEAR:
        return None
    try:
        weight = getattr(step, "_saved_weight" if _operation(step) in WEIGHTED else "_saved_mat2", None)
    except RuntimeError:  # the network has rewritten it since
        return None
    return weight if isinstance(weight, torch.Tensor) else None


def ends_in_features(numbers: torch.Tensor) -> bool:
    """Whether no layer has weighed classes after the last norm or activation that made `numbers`.

    Pooling and views may come after it. A sum counts where it is a skip connection or all its parts are features, a
    concatenation where all its parts are.
    """
    return _makes_features(numbers.grad_fn)


def _makes_features(step: Any) -> bool:
    averaged = divided = False
    while step is not None:
        operation = _operation(step)
        if operation in NORMS:
            return True
        if operation in ACTIVATIONS:
            given = _before(step)
            return not ((divided and _is_shifted(given)) or (averaged and _is_convolved_classifier(given)))
        if len(parts := _parts(step)) > 1:
            if operation == "Mul":
                return _is_gate(parts)
            alike = operation in ("Add", "Cat") and all(map(_makes_features, parts))
            return alike or (operation == "Add" and _is_skip(step, parts))
        if operation in AVERAGES:
            averaged = averaged or _numbers(_before(step)) > _numbers(step)
        elif operation in MAXIMA:
            averaged = False
        elif operation == "Div":
            divided = True
        elif operation not in VIEWS | POWERS:
            return False
        step = _before(step)
    return False


def _is_convolved_classifier(step: Any) -> bool:
    """Whether maps that are rectified and averaged are scores, as SqueezeNet's and NIN's: a plain convolution's.

    Behind a norm, only those of a 1×1 convolution that gives far fewer channels than it takes.
    """
    normed = step is not None and _operation(step) in NORMS
    if normed:
        step = _before(step)
    if step is None or _operation(step) != "Convolution":
        return False
    width, given, *kernel = step._saved_weight.shape
    return not normed or (set(kernel) == {1} and given >= NARROWING * width)


def _is_shifted(step: Any) -> bool:
    """Whether a constant is added, as where somebody writes down a sigmoid of straight lines."""
    return step is not None and _operation(step) == "Add" and len(_parts(step)) == 1


def _is_gate(parts: list[Any]) -> bool:
    """Whether a value is multiplied by a sigmoid of itself: a swish, or squeeze and excitation."""
    gates = [part for part in parts if _operation(part) in GATES]
    values = [part for part in parts if _operation(part) not in GATES]
    return len(gates) == len(values) == 1 and _leads_to(gates[0], values[0])


def _is_skip(step: Any, parts: list[Any]) -> bool:
    """Whether what is added was made of what it is added to, at every position."""
    return len(step._input_metadata[0].shape) > 2 and any(
        _leads_to(part, other) for part in parts for other in parts if other is not part
    )


def _leads_to(step: Any, earlier: Any) -> bool:
    """Whether `earlier` is on the way back from `step`."""
    return any(before is earlier for before in _history(step))


def _history(step: Any) -> Iterator[Any]:
    seen: set[Any] = {step}
    queue = [step]
    while queue:
        fresh = {before for before in _parts(queue.pop()) if before not in seen}
        yield from fresh
        seen |= fresh
        queue += fresh


def _operation(step: Any) -> str:
    return str(step.name().partition("Backward")[0])


def _numbers(step: Any) -> int:
    """How many an operation made; 0 of none."""
    return 0 if step is None else math.prod(step._input_metadata[0].shape)


def _parts(step: Any) -> list[Any]:
    """What an operation was given, as far as it depends on the input."""
    return [before for before, _ in step.next_functions if before is not None]


def _before(step: Any) -> Any:
    return next(iter(_parts(step)), None)
