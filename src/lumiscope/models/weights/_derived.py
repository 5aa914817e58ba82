"""Weights that a file holds as what they are derived from: weight norm, spectral norm and pruning, folded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from lumiscope.errors import WeightsError
from lumiscope.models.weights._stored import MadeTensor, Stored

PARAMETRIZED = "parametrizations."


@dataclass(frozen=True)
class Folded:
    """A weight made of `parts`, paths of tensors in the file. `kind`: what it was derived by."""

    kind: str
    parts: tuple[str, ...]
    tensor: MadeTensor


def folded(tensors: Mapping[str, Stored]) -> dict[str, Folded]:
    """The weights that are not in the file themselves but can be made of others there, by their paths."""
    folds = (fold for name in tensors for fold in (_weight_norm(name, tensors), _other(name, tensors)) if fold)
    return {name: fold for name, fold in folds if name not in tensors}


def _weight_norm(name: str, tensors: Mapping[str, Stored]) -> tuple[str, Folded] | None:
    """w = g v / |v|, where |v| runs over all axes along which g does not; `torch.nn.utils.weight_norm`, both forms."""
    for direction, length in (("_v", "_g"), (".original1", ".original0")):
        stem = name.removesuffix(direction)
        if stem == name or f"{stem}{length}" not in tensors or (direction == "_v") == (PARAMETRIZED in name):
            continue
        g, v = tensors[f"{stem}{length}"], tensors[name]
        axes = [axis for axis in range(len(v.shape)) if not g.shape or g.shape[axis : axis + 1] == (1,)]
        if len(g.shape) not in (0, len(v.shape)) or not axes:
            continue

        def make(g: Stored = g, v: Stored = v, axes: list[int] = axes) -> torch.Tensor:
            direction = v.load()
            length = torch.linalg.vector_norm(direction, dim=axes, keepdim=bool(g.shape))
            return torch.mul(direction, g.load() / length)

        return _plain(stem), Folded("weight norm", (f"{stem}{length}", name), MadeTensor(v.shape, make))
    return None


def _other(name: str, tensors: Mapping[str, Stored]) -> tuple[str, Folded] | None:
    """Pruning, w = orig mask, and spectral norm, w = orig / (u W v); `torch.nn.utils.prune` and `.spectral_norm`."""
    if name.endswith("_orig"):
        stem = name.removesuffix("_orig")
        ways = {"pruning": ["_mask"], "spectral norm": ["_u", "_v"]}
    elif PARAMETRIZED in name and name.endswith(".original"):
        stem = name.removesuffix(".original")
        ways = {"spectral norm": [".0._u", ".0._v"]}
    else:
        return None
    for kind, endings in ways.items():
        others = [f"{stem}{ending}" for ending in endings]
        if all(other in tensors for other in others):
            make = _maker(_masked if kind == "pruning" else _normalised, [tensors[part] for part in (name, *others)])
            return _plain(stem), Folded(kind, (name, *others), MadeTensor(tensors[name].shape, make))
    return None


def _maker(make: Callable[..., torch.Tensor], parts: list[Stored]) -> Callable[[], torch.Tensor]:
    return lambda: make(*(part.load() for part in parts))


def _masked(original: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return original * mask.to(original.dtype)


def _normalised(original: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """`u`, `v`: the singular vectors of the weight as a matrix, whose rows are the axis that has as many as `u`."""
    sizes = enumerate(original.shape)
    axis = next((axis for axis, size in sizes if size == len(u) and original.numel() == size * len(v)), None)
    if axis is None:
        raise WeightsError(f"spectral norm of {tuple(original.shape)} has singular vectors of {len(u)} and {len(v)}")
    matrix = original.movedim(axis, 0).flatten(1)
    return original / torch.dot(u, matrix @ v)


def _plain(stem: str) -> str:
    """`0.weight` of `0.weight` and of `0.parametrizations.weight`."""
    before, marker, after = stem.rpartition(PARAMETRIZED)
    return before + after if marker else stem
