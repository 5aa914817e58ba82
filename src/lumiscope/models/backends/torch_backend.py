"""torch: the network as it is ("eager"), and a folded, channels-last copy, in half precision where that is fast."""

from __future__ import annotations

import torch

from lumiscope.models.backends.registry import LAST, Numbers, Runner, inference_backend
from lumiscope.models.guard import borrowed, copied
from lumiscope.models.outputs import logits_of


@inference_backend(
    "eager", title="torch, the network as it is", rank=LAST, batch_size=4, devices=("cpu", "cuda", "mps")
)
def run_eagerly(module: torch.nn.Module, example: torch.Tensor, numbers: Numbers) -> Runner:
    """Run `module` itself, in float32."""

    def run(inputs: torch.Tensor) -> torch.Tensor:
        with borrowed(module), torch.no_grad():
            return logits_of(module(inputs)).float()

    return run


@inference_backend(
    "torch",
    title="torch, batch norms folded, channels-last",
    rank=3,
    devices=("cpu", "cuda", "mps"),
    folded=True,
    half=True,
)
def run_folded(module: torch.nn.Module, example: torch.Tensor, numbers: Numbers) -> Runner:
    """Run a folded copy; half: with bfloat16 weights on a CPU, under autocast on a GPU."""
    kind = example.device.type
    network = in_bfloat16(module) if numbers == "half" and kind == "cpu" else module

    def run(inputs: torch.Tensor) -> torch.Tensor:
        autocast = torch.autocast(kind, enabled=numbers == "half" and kind != "cpu")
        with borrowed(network), torch.no_grad(), autocast:
            return logits_of(network(as_input_of(network, inputs))).float()

    return run


def in_bfloat16(network: torch.nn.Module) -> torch.nn.Module:
    """A copy of `network` with bfloat16 weights."""
    return copied(network).to(torch.bfloat16)


def as_input_of(network: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """`inputs` in the type of the network's weights, channels last."""
    kind = next((parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()), inputs.dtype)
    return inputs.to(kind).contiguous(memory_format=torch.channels_last)
