"""Which backend runs a model: the fastest whose logits are those of torch in float32, checked on real pictures."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from lumiscope.errors import UnknownNameError
from lumiscope.models.backends.inference import PRECISIONS
from lumiscope.models.backends.registry import Precision, Runner, available_backends, backends, get_backend

TOLERANCES: dict[str, float] = {"exact": 1e-4, "fast": 0.05}
"""The largest difference of logits that a precision allows, as a share of the largest logit."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What runs the model, and why. `error`: difference of logits to torch float32, as a share of the largest."""

    asked: str
    backend: str
    precision: Precision
    error: float
    why: str

    def facts(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


def check_names(backend: str, precision: str) -> None:
    """Errors: `UnknownNameError` with the nearest names."""
    if backend != "auto":
        get_backend(backend)
    if precision not in PRECISIONS:
        raise UnknownNameError("precision", precision, PRECISIONS)


def choose(
    asked: str, precision: Precision, device: str, runner: Callable[[str], Runner], inputs: torch.Tensor
) -> Choice:
    """Try the backends in turn until one gives the logits of "eager" on `inputs` (N, 3, H, W), within tolerance.

    `asked`: "auto" tries all that are installed, the fastest first; a name tries that one. Either falls back to
    "eager", which is right by definition. `runner(name)` builds a backend for the model.
    """
    check_names(asked, precision)
    with torch.no_grad():
        expected = runner("eager")(inputs)
    tolerance = TOLERANCES[precision]
    tried: list[str] = []
    for name in available_backends(device) if asked == "auto" else [asked]:
        if name == "eager":
            break
        error, problem = _error(name, device, runner, inputs, expected)
        if error <= tolerance:
            why = f"logits differ from torch float32 by {error:.1e} of the largest (allowed: {tolerance:g})"
            if asked == "auto":
                why = f"the fastest here whose {why}" if not tried else f"{'; '.join(tried)}; its {why}"
            return Choice(asked, name, precision, error, why)
        tried.append(f"{name}: {problem or f'logits differ by {error:.1e} (allowed: {tolerance:g})'}")
        logger.log(logging.INFO if asked == "auto" else logging.WARNING, "backend %s cannot serve: %s", name, tried[-1])
    return Choice(asked, "eager", precision, 0.0, "; ".join(tried) or "asked for")


def _error(
    name: str, device: str, runner: Callable[[str], Runner], inputs: torch.Tensor, expected: torch.Tensor
) -> tuple[float, str]:
    """The difference of logits as a share of the largest; infinite, with the reason, where the backend cannot run."""
    backend = backends()[name]
    if backend.missing:
        return math.inf, f"the package {backend.requires} is not installed"
    if device not in backend.devices:
        return math.inf, f"it does not run on {device}"
    try:
        came = runner(name)(inputs)
    except Exception as error:  # converters raise whatever they like
        logger.info("backend %s failed", name, exc_info=error)
        first = next(iter(str(error).strip().splitlines()), "no reason given")
        return math.inf, f"it cannot run this network ({type(error).__name__}: {first})"
    if came.shape != expected.shape or not came.isfinite().all():
        return math.inf, "its logits are not finite, or of another shape"
    scale = float(expected.abs().max())
    return float((came - expected).abs().max()) / (scale or 1.0), ""
