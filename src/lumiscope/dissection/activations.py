"""Activations of several layers in one pass over the images: one number per unit and image, or the units' maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models import TorchModel, first_tensor, locate_units, run_counter
from lumiscope.types import FloatArray
from lumiscope.unit_address import CLASS_TOKEN

POOLINGS: tuple[str, ...] = ("mean", "max")


@dataclass(frozen=True)
class Probe:
    """What to look at in a forward pass. `read`: from the output of `module`, (B, …), to what is wanted, (B, …).

    `run`: which of its runs, from 0; None: the last.
    """

    module: torch.nn.Module
    read: Callable[[torch.Tensor], torch.Tensor]
    run: int | None = None


def unit_probe(model: TorchModel, layer: str, pooling: str = "mean") -> Probe:
    """Read one number a unit: (B, U) float32.

    `layer`: its address. Of maps, in either order of axes, the units are the channels, pooled over the positions; of
    tokens they are the width, pooled over the patches without class, distillation and register tokens, or at
    "NAME@class" the first token alone; tokens without a grid are all pooled; vectors stay as they are.
    `pooling`: "mean" (the default of CLIP-Dissect) or "max". Errors: `UnknownNameError`; `LayerError` for a layer that
    does not run, has no row of units for each image or has no class token.
    """
    if pooling not in POOLINGS:
        raise UnknownNameError("pooling", pooling, POOLINGS)
    unit_layer, where = locate_units(model, layer)

    def read(output: torch.Tensor) -> torch.Tensor:
        return pool(where.part(output), where.axes, pooling)

    return Probe(model.layer(unit_layer.name), read, unit_layer.run)


def map_probe(model: TorchModel, layer: str) -> Probe | None:
    """Read the units' maps: (B, U, h, w). None where the layer has none, as a vector or a class token.

    `layer`: its address. Errors: those of `unit_probe`.
    """
    unit_layer, _ = locate_units(model, layer)
    if layer.endswith(CLASS_TOKEN) or not unit_layer.has_map:
        return None
    return Probe(model.layer(unit_layer.name), unit_layer.map_layout.maps, unit_layer.run)


def pool(activations: torch.Tensor, axes: tuple[int, ...], pooling: str = "mean") -> torch.Tensor:
    """(B, U) float32: the mean or maximum ("max") of (B, …) `activations` over `axes`; no axes: as they are.

    NaN and infinity stay where they are: in the units and images that have them. Errors: `LayerError` where there is
    nothing to pool, or what remains is not (B, U).
    """
    if 0 in activations.shape or activations.ndim != 2 + len(axes):
        raise LayerError(
            f"expected an output of {2 + len(axes)} axes, with units and positions; got {tuple(activations.shape)}. "
            "Choose a layer before or after this one."
        )
    # Half precision sums over space lose digits, so the widening comes first.
    activations = activations.float()
    if not axes:
        return activations
    return activations.mean(axes) if pooling == "mean" else activations.amax(axes)


def collect_activations(
    batches: Iterable[torch.Tensor], forward: Callable[[torch.Tensor], object], probes: Mapping[str, Probe]
) -> Iterator[dict[str, FloatArray]]:
    """Run `forward` once per batch and yield what every probe reads.

    `batches`: model inputs, images along the first axis. `forward`: the model, in evaluation mode (the caller sees to
    that). Yields {name: (B, …) float32} in the order of `probes`.

    Hooks and no-grad mode last for one forward only: nothing is left on the model between two batches, nor after
    an exception. A tuple, list or mapping stands for its first tensor. A module that runs several times in a forward
    counts with the run that its probe says. Raises LayerError for a module that was not reached or whose output cannot
    be read.
    """
    for batch in batches:
        seen: dict[str, FloatArray | Exception] = {}
        with ExitStack() as hooks, torch.no_grad():
            for name, probe in probes.items():
                hooks.callback(probe.module.register_forward_hook(_reading_hook(name, probe, seen)).remove)
            forward(batch)
        yield {name: _checked(name, seen.get(name), len(batch)) for name in probes}


def _reading_hook(
    name: str, probe: Probe, seen: dict[str, FloatArray | Exception]
) -> Callable[[torch.nn.Module, Any, Any], None]:
    is_meant = run_counter(probe.run)

    def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
        if not is_meant():
            return
        tensor = first_tensor(output)
        if tensor is None:
            seen[name] = LayerError(f"expected a layer that gives a tensor; got {type(output).__name__}")
            return
        try:
            # The copy is taken here because a later in-place operation may overwrite the layer's output.
            seen[name] = probe.read(tensor).detach().to("cpu", torch.float32, copy=True).numpy()
        except (LayerError, RuntimeError, IndexError) as error:
            # Only the last call counts, and an earlier one may give another shape.
            seen[name] = error

    return hook


def _checked(name: str, values: FloatArray | Exception | None, num_images: int) -> FloatArray:
    if values is None:
        raise LayerError(
            f"the model's forward did not reach {name}: the module exists but is not called. Choose a layer that runs."
        )
    if isinstance(values, LayerError):
        raise LayerError(f"layer {name}: {values}") from values
    if isinstance(values, Exception):
        raise values
    if len(values) != num_images:
        raise LayerError(
            f"layer {name}: gives {len(values)} rows for {num_images} images, so a row is not an image. "
            "Choose a layer outside the windows or groups."
        )
    return values
