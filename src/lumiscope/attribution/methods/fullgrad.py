"""FullGrad: the gradient to the input and to every bias of the network, which together make up the score.

Source: Srinivas and Fleuret 2019, "Full-Gradient Representation for Neural Network Visualization": its decomposition of
the score, which is complete, and the saliency map FullGrad made of it.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lumiscope.attribution.cam import min_max, resize
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.attribution.requirements import require_gradient
from lumiscope.models import TorchModel, borrowed, in_float64, logits_of
from lumiscope.types import SaliencyMap, Target

ALLOWED_GAP = 0.05  # of the score
WITH_BIAS = {functional.conv2d, functional.conv_transpose2d, functional.linear}
NORMS = {functional.batch_norm, torch.batch_norm}


@attribution_method(
    "fullgrad",
    title="FullGrad",
    citation="Srinivas and Fleuret 2019, FullGrad, arXiv:1905.00780",
    passes="1 forward, 1 backward through the whole network",
    options=FlipOptions,
    needs_gradients=True,
)
def fullgrad(prepared: PreparedBatch, targets: Sequence[Target], options: FlipOptions) -> list[SaliencyMap]:
    """psi(x · dS/dx) + the sum over layers and channels of psi(b_c · dS/dz_c), b the bias of z.

    psi: absolute value, min-max (with 1e-7 under the fraction) and bilinear resize to the view, channel by channel as
    the equation has it; the authors' own program scales a layer as a whole. Biases are those of convolutions and, as
    b = f(0), of batch norms with fixed statistics, in every call of theirs, whatever module makes it. Biases without a
    map (dense layers), and those implied by anything that is neither linear nor piecewise linear through 0 (ReLU6,
    layer norm, GELU, gates), are not shown. `values` is that sum, `display()` its min-max. `completeness_gap` in the
    details is S minus all terms, dense layers' biases included: 0 for ReLU networks; `completeness_gap_share`: of |S|,
    with a warning above 5 %. One image runs at a time, since every activation of the network is kept.
    """
    return [_explain(prepared.inputs, row, target, options) for row, target in enumerate(targets)]


def _explain(inputs: PreparedInputs, row: int, target: Target, options: FlipOptions) -> SaliencyMap:
    view = inputs.views[row]
    score, terms = _full_gradients(inputs.model, inputs.values[row : row + 1], target)
    # resizing is linear, so the channels are added first
    values = torch.stack([resize(_scaled(term.values), view.size) for term in terms if term.is_map]).sum(0)
    gap = float(score) - sum(float(in_float64(term.values).sum()) for term in terms)
    return SaliencyMap(
        item_id=view.item_id,
        method="fullgrad",
        target=target,
        values=values[0].cpu().numpy(),
        options=dataclasses.asdict(options),
        shown=min_max(values)[0].cpu().numpy(),
        details=_details(values, float(score), gap),
    )


def _details(values: torch.Tensor, score: float, gap: float) -> dict[str, Any]:
    if not values.isfinite().all():
        return {"undefined": "the network's gradients are not finite"}
    share = abs(gap / score) if score else math.nan
    facts: dict[str, Any] = {"completeness_gap": gap, "completeness_gap_share": share}
    if share > ALLOWED_GAP:
        facts["warnings"] = [
            f"the terms miss {share:.0%} of the score: this network has operations that imply biases of their own, "
            "such as ReLU6, GELU, layer norm or gates"
        ]
    return facts


@dataclass(frozen=True)
class Term:
    """What one bias, or the input, has to do with the score. `is_map`: whether `values` are (1, C, h, w)."""

    values: torch.Tensor
    is_map: bool


def _full_gradients(model: TorchModel, inputs: torch.Tensor, target: Target) -> tuple[torch.Tensor, list[Term]]:
    """The score of a normalised input (1, 3, H, W), and the terms that make it up."""
    network, mode = model.network, BiasProbes()
    with borrowed(network), torch.enable_grad():
        leaf = inputs.detach().requires_grad_()
        with mode, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # through the mode, warnings at the network's code would point at this file
            score = logits_of(network(leaf.clone()))[0, target.index].float()  # it may begin in place
        require_gradient(score, "the input", model)
        wanted = [leaf, *(probe.zeros for probe in mode.probes)]
        slopes = torch.autograd.grad(score, wanted, materialize_grads=True)
    terms = [Term(slopes[0] * inputs, True)]
    for slope, probe in zip(slopes[1:], mode.probes, strict=True):
        terms.append(Term(slope * probe.bias, probe.is_map))
    return score.detach(), terms


def _scaled(term: torch.Tensor) -> torch.Tensor:
    """(1, h, w): the absolute value of (1, C, h, w), each channel's min-max, and the sum over the channels."""
    return min_max(term[0].abs()).sum(0, keepdim=True)


@dataclass(frozen=True)
class Probe:
    """Zeros added to the output of an affine operation: the gradient to them is the one to its bias at each position.

    `bias`: in a shape that goes with them. `is_map`: whether they are (1, C, h, w).
    """

    zeros: torch.Tensor
    bias: torch.Tensor
    is_map: bool


class BiasProbes(TorchFunctionMode):
    """While it is on, a probe is added to what every affine operation with a bias gives; `probes` are all of them.

    No module is touched, functions count as modules do, an operation that runs twice counts twice, and what overwrites
    an output in place does no harm.
    """

    def __init__(self) -> None:
        super().__init__()
        self.probes: list[Probe] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation; where it has a bias, add a probe to what it gives."""
        output = func(*args, **(kwargs or {}))
        bias = _bias_of(func, args, kwargs or {})
        if bias is None:
            return output
        is_map = func is not functional.linear and output.ndim == 4 and len(output) == 1
        self.probes.append(Probe(torch.zeros_like(output).requires_grad_(), bias.detach(), is_map))
        return output + self.probes[-1].zeros


def _bias_of(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> torch.Tensor | None:
    """The bias that an affine operation adds, in a shape that goes with its output; None for other operations."""
    if func in WITH_BIAS:
        bias = args[2] if len(args) > 2 else kwargs.get("bias")
        return bias if bias is None or func is functional.linear else bias.view(-1, 1, 1)
    if func not in NORMS or kwargs.get("training", args[5] if len(args) > 5 else False):
        return None
    inputs = args[0] if args else kwargs["input"]
    rest = {name: value for name, value in kwargs.items() if name != "input"}
    at_zero: torch.Tensor = func(inputs.new_zeros(1, inputs.shape[1]), *args[1:], **rest)
    return at_zero.view(1, -1, *[1] * (inputs.ndim - 2))
