"""What a network takes: how many channels, and, where it takes no single picture, the wrapper that would do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import nn

from lumiscope.errors import ModelError
from lumiscope.models.guard import borrowed, hooked
from lumiscope.types import ByteArray

RGB = 3
LUMINANCE = np.array([19595, 38470, 7471], np.uint32)  # 0.299, 0.587 and 0.114 of 2^16, as Pillow has them
PICTURES = {"image", "images", "img", "picture", "pixel_values", "x", "input", "inputs"}
LUMINANCE_NOTE = "it takes one channel: the luminance of a picture, 0.299 R + 0.587 G + 0.114 B"
VOLUMES = (nn.Conv3d, nn.BatchNorm3d, nn.InstanceNorm3d)


def luminance(pixels: ByteArray) -> ByteArray:
    """(N, h, w, 1) uint8 luminance of (N, h, w, 3) uint8 RGB: ITU-R 601, rounded; what Pillow's mode "L" holds."""
    return np.asarray((pixels @ LUMINANCE + 0x8000) >> 16, np.uint8)[..., None]


def per_channel(numbers: Sequence[float], channels: int) -> tuple[float, ...] | None:
    """One of the `numbers` a channel: themselves, one for all, or for one channel the mean of three of RGB.

    None where their count fits in none of these ways.
    """
    given = tuple(float(number) for number in numbers)
    if len(given) == channels:
        return given
    if len(given) == 1:
        return given * channels
    return (sum(given) / RGB,) if (len(given), channels) == (RGB, 1) else None


def other_channels(network: nn.Module, noise: Callable[[int], torch.Tensor], spec: str) -> int | None:
    """How many channels a network takes that does not run on RGB; None where no number lets it run.

    `noise(channels)`: (2, channels, H, W). What the first part with weights takes is tried, then one channel, which
    networks widen themselves, then the network's attribute `in_chans`. Errors: `ModelError` with the wrapper that would
    do, for a network of several inputs or of volumes.
    """
    _refuse_several_inputs(network, spec)
    with borrowed(network):
        part, given = _first_part(network, noise(RGB))
        if isinstance(part, VOLUMES) and given is not None and given.ndim == 4:
            raise ModelError(
                f"expected {spec} to take one picture, (N, channels, H, W); it takes volumes, (N, channels, D, H, W), "
                f"as its first part is a {type(part).__name__}. {VOLUME_WRAPPER}"
            )
        tried = (_width(part, noise(RGB)), 1, getattr(network, "in_chans", None))
        wanted = dict.fromkeys(width for width in tried if isinstance(width, int) and width not in (0, RGB))
        return next((width for width in wanted if runs(network, noise(width))), None)


def _first_part(network: nn.Module, inputs: torch.Tensor) -> tuple[nn.Module | None, torch.Tensor | None]:
    """The first part with weights that a run reaches, and what it is given; the run may fail after that."""
    calls: list[tuple[nn.Module, torch.Tensor]] = []

    def note(part: nn.Module, given: tuple[Any, ...]) -> None:
        if given and isinstance(given[0], torch.Tensor):
            calls.append((part, given[0]))

    parts = [part for part in network.modules() if _feature_count(part)]
    with hooked(*(part.register_forward_pre_hook(note) for part in parts)):
        runs(network, inputs)
    return calls[0] if calls else (None, None)


def runs(network: nn.Module, inputs: torch.Tensor) -> bool:
    """Whether a network runs on inputs."""
    with torch.no_grad(), suppress(Exception):  # the user's own code, on what it may not be made for
        network(inputs)
        return True
    return False


def _feature_count(part: nn.Module) -> int:
    """How many channels, or features, a part with weights takes; 0 for any other."""
    for kind, name in (
        (nn.modules.conv._ConvNd, "in_channels"),
        (nn.modules.batchnorm._NormBase, "num_features"),
        (nn.GroupNorm, "num_channels"),
        (nn.Linear, "in_features"),
    ):
        if isinstance(part, kind):
            return int(getattr(part, name))
    return 0


def _width(part: nn.Module | None, inputs: torch.Tensor) -> int:
    """How many channels `part` wants of a picture like the `inputs`; a linear layer is given all of its pixels."""
    if part is None or isinstance(part, VOLUMES):
        return 0
    if isinstance(part, nn.Linear):
        channels, rest = divmod(part.in_features, inputs.shape[2] * inputs.shape[3])
        return 0 if rest else channels
    return _feature_count(part)


def _refuse_several_inputs(network: nn.Module, spec: str) -> None:
    try:
        parameters = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError):  # no signature, as of a network of TorchScript
        return
    needed = [parameter.name for parameter in parameters if _is_needed(parameter)]
    if len(needed) < 2:
        return
    picture = next((name for name in needed if name in PICTURES), needed[0])
    others = [name for name in needed if name != picture]
    fixed = ", ".join(f"{name}=…" for name in others)
    expanded = ", ".join(f"{name}=self.{name}.expand(len(picture), *self.{name}.shape[1:])" for name in others)
    stored = "\n".join(f'        self.register_buffer("{name}", {name})' for name in others)
    raise ModelError(
        f"expected {spec} to take one picture; it takes {len(needed)} inputs: {', '.join(needed)}. Hold all but the "
        f"picture fixed in a wrapper, and give OnePicture(network, {fixed}), each of one row:\n\n"
        "class OnePicture(torch.nn.Module):\n"
        f"    def __init__(self, network, {', '.join(others)}):\n"
        "        super().__init__()\n"
        "        self.network = network\n"
        f"{stored}\n\n"
        "    def forward(self, picture):\n"
        f"        return self.network({picture}=picture, {expanded})\n"
    )


def _is_needed(parameter: inspect.Parameter) -> bool:
    kinds = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    return parameter.kind in kinds and parameter.default is parameter.empty


VOLUME_WRAPPER = """A wrapper makes a volume of a picture, here a clip of 16 equal frames:

class OnePicture(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, picture):
        return self.network(picture[:, :, None].expand(-1, -1, 16, -1, -1))

For slices of a volume that are the bands of a file: self.in_chans = 16 in __init__, and picture[:, None] in forward.
"""

KEYED = (TypeError, KeyError, IndexError, AttributeError)
"""What a network raises that takes no tensor."""

KEYED_WRAPPER = """If it takes a mapping or a list, a wrapper gives it one, here under the key "image":

class OnePicture(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, picture):
        return self.network({"image": picture})
"""
