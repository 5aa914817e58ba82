"""Inference backends by name. A new one is a module with one function under `@inference_backend`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from lumiscope.discovery import import_siblings
from lumiscope.errors import UnknownNameError

Precision = Literal["exact", "fast"]
Numbers = Literal["float32", "half"]
"""What a network computes in; half: bfloat16 on a CPU, float16 where it is safe (autocast) on a GPU."""
Runner: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3, H, W) normalised float32 inputs -> (N, classes) float32 logits, without gradients."""
Builder: TypeAlias = Callable[[torch.nn.Module, torch.Tensor, Numbers], Runner]
"""Network in evaluation mode, an example batch of the size that the runner is best given, numbers -> runner."""


@dataclass(frozen=True)
class Backend:
    """A way to run a whole network. `title`: what it is; `requires`: the package it needs, "" for none.

    `batch_size`: views of 224×224 at once; other sizes take as many as have that many pixels. `devices`: where it runs.
    `folded`: whether it is given a copy with folded batch norms. `half`: whether it can compute in half precision.
    """

    name: str
    title: str
    requires: str
    batch_size: int
    devices: tuple[str, ...]
    folded: bool
    half: bool
    build: Builder

    @property
    def missing(self) -> bool:
        """Whether the package it needs is not installed."""
        return bool(self.requires) and importlib.util.find_spec(self.requires) is None


_BACKENDS: dict[str, Backend] = {}


def inference_backend(
    name: str,
    *,
    title: str,
    requires: str = "",
    batch_size: int = 8,
    devices: tuple[str, ...] = ("cpu",),
    folded: bool = False,
    half: bool = False,
) -> Callable[[Builder], Builder]:
    """Register a backend under `name`."""

    def register(build: Builder) -> Builder:
        _BACKENDS[name] = Backend(name, title, requires, batch_size, devices, folded, half, build)
        return build

    return register


def backends() -> Mapping[str, Backend]:
    """Every backend by name."""
    import_siblings(__name__)
    return dict(_BACKENDS)


def available_backends(device: str = "cpu") -> list[str]:
    """The names of the backends that can run here on a device of this type, the fastest first.

    The order is that of measurements (docs/benchmarks.md), not of a race: the same machine always chooses the same.
    """
    order = ("openvino", "onnxruntime", "torch", "eager")
    known = backends()
    ranked = sorted(known, key=lambda name: order.index(name) if name in order else len(order))
    return [name for name in ranked if device in known[name].devices and not known[name].missing]


def half_is_fast(device: str) -> bool:
    """Whether this machine multiplies in half precision itself; elsewhere that would be slower than float32."""
    return device != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def half_pays(backend: str, device: str) -> bool:
    """Whether a backend can compute in half precision, and that is faster on a device of this type."""
    return get_backend(backend).half and half_is_fast(device)


def get_backend(name: str) -> Backend:
    """Return one backend. Errors: `UnknownNameError` with the nearest names."""
    known = backends()
    if name not in known:
        raise UnknownNameError("backend", name, ["auto", *known])
    return known[name]
