"""Inference backends by name. A new one is a module with one function under `@inference_backend`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from lumiscope.registry import Registry
from lumiscope.requirement import Requirement

Precision = Literal["exact", "fast"]
PRECISIONS: tuple[Precision, ...] = ("exact", "fast")
Numbers = Literal["float32", "half"]
"""What a network computes in; half: bfloat16 on a CPU, float16 where it is safe (autocast) on a GPU."""
Runner: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3, H, W) normalised float32 inputs -> (N, classes) float32 logits, without gradients."""
Builder: TypeAlias = Callable[[torch.nn.Module, torch.Tensor, Numbers], Runner]
"""Network in evaluation mode, an example batch of the size that the runner is best given, numbers -> runner."""


@dataclass(frozen=True)
class Backend:
    """A way to run a whole network. `title`: what it is. `requires`: a package that not every installation has.

    `batch_size`: views of 224×224 at once; other sizes take as many as have that many pixels. `devices`: where it runs.
    `folded`: whether it is given a copy with folded batch norms. `half`: whether it can compute in half precision.
    """

    name: str
    title: str
    requires: Requirement | None
    batch_size: int
    devices: tuple[str, ...]
    folded: bool
    half: bool
    build: Builder

    @property
    def missing(self) -> bool:
        """Whether the package it needs is not installed."""
        return self.requires is not None and self.requires.missing


BACKENDS: Registry[Backend] = Registry("backend", package="lumiscope.models.backends", also=["auto"])
"""Every backend by name, the fastest first."""
UNMEASURED, LAST = 50, 100


def inference_backend(
    name: str,
    *,
    title: str,
    requires: Requirement | None = None,
    rank: int = UNMEASURED,
    batch_size: int = 8,
    devices: tuple[str, ...] = ("cpu",),
    folded: bool = False,
    half: bool = False,
) -> Callable[[Builder], Builder]:
    """Register a backend under `name`. `rank`: its place in the order of speed, as measured in docs/benchmarks.md."""

    def register(build: Builder) -> Builder:
        backend = Backend(name, title, requires, batch_size, devices, folded, half, build)
        BACKENDS.register(name, backend, defined_by=build, order=rank)
        return build

    return register


def available_backends(device: str = "cpu") -> list[str]:
    """The names of the backends that can run here on a device of this type, the fastest first.

    The order is that of measurements (docs/benchmarks.md), not of a race: the same machine always chooses the same.
    """
    return [name for name, backend in BACKENDS.items() if device in backend.devices and not backend.missing]


def half_is_fast(device: str) -> bool:
    """Whether this machine multiplies in half precision itself; elsewhere that would be slower than float32."""
    return device != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def half_pays(backend: str, device: str) -> bool:
    """Whether a backend can compute in half precision, and that is faster on a device of this type."""
    return BACKENDS[backend].half and half_is_fast(device)
