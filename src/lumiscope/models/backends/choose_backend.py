"""Which backend runs a model: the fastest whose logits are those of torch in float32, checked on real pictures."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch

from lumiscope.errors import UnknownNameError
from lumiscope.files import is_machines
from lumiscope.models.backends.registry import (
    BACKENDS,
    PRECISIONS,
    Numbers,
    Precision,
    Runner,
    available_backends,
    half_pays,
)

TOLERANCES: dict[Numbers, float] = {"float32": 1e-4, "half": 0.01}
"""The largest difference of logits that is allowed, as a share of the largest logit.

Half precision must keep maps within 0.02: on a classifier whose logits it changed by 0.06, maps were off by 0.1 and
more (docs/benchmarks.md).
"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What runs the model, and why.

    `asked`: the backend asked for. `numbers`: what it computes in; "float32" under `fast`, too, where half precision
    would change the logits too much. `error`: difference of logits to torch float32, as a share of the largest.
    """

    asked: str
    backend: str
    precision: Precision
    numbers: Numbers
    error: float
    why: str

    def facts(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


def check_names(backend: str, precision: str) -> None:
    """Errors: `UnknownNameError` with the nearest names."""
    if backend != "auto":
        BACKENDS.check(backend)
    if precision not in PRECISIONS:
        raise UnknownNameError("precision", precision, PRECISIONS)


def choose_backend(
    asked: str,
    precision: Precision,
    device: str,
    runner: Callable[[str, Numbers], Runner],
    inputs: torch.Tensor,
    among: Sequence[str] | None = None,
) -> Choice:
    """Try the backends in turn until one gives the logits of "eager" on `inputs` (N, 3, H, W), within tolerance.

    `asked`: "auto" tries all that are installed, the fastest first; a name tries that one. Either falls back to
    "eager", which is right by definition. With `fast` each is tried in half precision before float32.
    `runner(name, numbers)` builds a backend for the model. `among`: the backends that "auto" tries; None: all.
    """
    check_names(asked, precision)
    with torch.no_grad():
        expected = runner("eager", "float32")(inputs)
    tried: list[str] = []
    candidates = [asked] if asked != "auto" else available_backends(device) if among is None else among
    for name in candidates:
        if name == "eager":
            break
        for numbers in _forms(name, precision, device):
            error, problem = _error(name, device, partial(runner, name, numbers), inputs, expected)
            differ = (
                f"logits differ from torch float32 by {error:.1e} of the largest (allowed: {TOLERANCES[numbers]:g})"
            )
            if error <= TOLERANCES[numbers]:
                why = "; ".join([*tried, f"{name} in {numbers}: {differ}"])
                return Choice(asked, name, precision, numbers, error, why)
            tried.append(f"{name} in {numbers}: {problem or differ}")
        if asked != "auto":
            logger.warning("backend %s cannot serve, torch runs the network as it is: %s", name, "; ".join(tried))
    return Choice(asked, "eager", precision, "float32", 0.0, "; ".join(tried) or "asked for")


def _forms(name: str, precision: Precision, device: str) -> tuple[Numbers, ...]:
    return ("half", "float32") if precision == "fast" and half_pays(name, device) else ("float32",)


def _error(
    name: str, device: str, build: Callable[[], Runner], inputs: torch.Tensor, expected: torch.Tensor
) -> tuple[float, str]:
    """The difference of logits as a share of the largest; infinite, with the reason, where the backend cannot run."""
    backend = BACKENDS[name]
    if backend.requires is not None and backend.requires.missing:
        return math.inf, f"the package {backend.requires.package} is not installed"
    if device not in backend.devices:
        return math.inf, f"it does not run on {device}"
    try:
        came = build()(inputs)
    except Exception as error:  # converters raise whatever they like
        if is_machines(error):  # another backend would give other numbers, and be remembered
            raise
        logger.info("backend %s failed", name, exc_info=error)
        first = next(iter(str(error).strip().splitlines()), "no reason given")
        return math.inf, f"it cannot run this network ({type(error).__name__}: {first})"
    if came.shape != expected.shape or not came.isfinite().all():
        return math.inf, "its logits are not finite, or of another shape"
    scale = float(expected.abs().max())
    return float((came - expected).abs().max()) / (scale or 1.0), ""
