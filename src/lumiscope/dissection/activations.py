"""Activations of several layers in one pass over the probing images, one number per unit and image."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models.outputs import first_tensor
from lumiscope.types import FloatArray

POOLINGS: tuple[str, ...] = ("mean", "max")


def pool(activations: torch.Tensor, pooling: str = "mean", *, channels_last: bool = False) -> torch.Tensor:
    """Reduce a layer's output to one number per image and unit.

    `activations`: (B, U, h, w), or (B, h, w, U) with `channels_last`, is pooled over space,
    (B, N, U) over the N tokens, (B, U) stays as it is.
    `pooling`: "mean" (the default of CLIP-Dissect) or "max". Returns (B, U) float32.
    Raises LayerError for any other shape, UnknownNameError for another pooling.
    """
    if pooling not in POOLINGS:
        raise UnknownNameError("pooling", pooling, POOLINGS)
    axes = {2: (), 3: (1,), 4: (1, 2) if channels_last else (2, 3)}.get(activations.ndim)
    if axes is None or 0 in activations.shape:
        raise LayerError(
            "units need an output of shape (images, units, height, width), (images, tokens, units) or "
            f"(images, units); got {tuple(activations.shape)}. Choose a layer before or after this one."
        )
    # Half precision sums over space lose digits, so the widening comes first.
    activations = activations.float()
    if not axes:
        return activations
    return activations.mean(axes) if pooling == "mean" else activations.amax(axes)


def collect_activations(
    batches: Iterable[torch.Tensor],
    forward: Callable[[torch.Tensor], object],
    layers: Mapping[str, torch.nn.Module],
    pooling: str = "mean",
    *,
    channels_last: Container[str] = (),
) -> Iterator[dict[str, FloatArray]]:
    """Run `forward` once per batch and yield the pooled output of every layer.

    `batches`: model inputs, images along the first axis. `forward`: the model, in eval mode (the caller sees to
    that). `layers`: the modules to look at, by name. Yields {name: (B, U) float32} in the order of `layers`.

    Hooks and no-grad mode last for one forward only: nothing is left on the model between two batches, nor after
    an exception. A tuple, list or mapping stands for its first tensor.
    `channels_last`: the layers that give (B, h, w, U). A module that runs several times in a forward counts
    with its last call. Raises LayerError for a layer that was not reached or whose output cannot be pooled.
    """
    for batch in batches:
        pooled: dict[str, FloatArray] = {}
        with ExitStack() as hooks, torch.no_grad():
            for name, module in layers.items():
                handle = module.register_forward_hook(_pooling_hook(name, pooling, len(batch), pooled, channels_last))
                hooks.callback(handle.remove)
            forward(batch)
        missing = [name for name in layers if name not in pooled]
        if missing:
            raise LayerError(
                f"the model's forward did not reach {', '.join(missing)}: the module exists but is not called. "
                "Choose a layer that runs."
            )
        yield {name: pooled[name] for name in layers}


def _pooling_hook(
    name: str, pooling: str, num_images: int, pooled: dict[str, FloatArray], channels_last: Container[str]
) -> Callable[[torch.nn.Module, Any, Any], None]:
    def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
        try:
            tensor = first_tensor(output)
            if tensor is None:
                raise LayerError(f"units need a layer that gives a tensor; got {type(output).__name__}")
            values = pool(tensor, pooling, channels_last=name in channels_last)
        except LayerError as error:
            raise LayerError(f"layer {name}: {error}") from error
        if len(values) != num_images:
            raise LayerError(
                f"layer {name}: gives {len(values)} rows for {num_images} images, so a row is not an image. "
                "Choose a layer outside the windows or groups."
            )
        # The copy is taken here because a later in-place operation may overwrite the layer's output.
        pooled[name] = values.detach().cpu().numpy().copy()

    return hook
