"""A torch module as a vision model: preprocessing, layers and splits."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from lumiscope.errors import LayerError, ModelError, UnknownNameError
from lumiscope.images import Geometry, ImageItem, View
from lumiscope.models.guard import borrowed
from lumiscope.models.layers import Layer, select_layers, target_layer, trace_layers
from lumiscope.models.outputs import logits_of
from lumiscope.models.split import Split, split
from lumiscope.models.vision_model import unnamed_classes
from lumiscope.types import ByteArray, FloatArray

# Larger batches spend a third of their time on fresh memory pages, smaller ones theirs between the operations
# (measured on 2 cores): 4 views of 224×224, 16 of 128×128.
LEAST_BATCH = 4
PIXELS_AT_ONCE = 2**18

LIBRARIES = {"torch", "torchvision", "timm"}


def own_sources(module: torch.nn.Module) -> list[Path]:
    """The files in which the classes of a network's parts are written, without those of the well-known libraries."""
    kinds = {type(part) for part in module.modules()}
    homes = {sys.modules.get(kind.__module__) for kind in kinds if kind.__module__.split(".")[0] not in LIBRARIES}
    files = {getattr(home, "__file__", None) for home in homes}
    return sorted(Path(file) for file in files if file and file.endswith(".py") and Path(file).is_file())


class TorchModel:
    """A torch classifier with one image input and (B, classes) logits.

    `mean` and `std`: of RGB in [0, 1]. `classes`: one name a logit; None: numbered. `notes`: what was assumed or left
    out when it was loaded.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        geometry: Geometry,
        *,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        classes: tuple[str, ...] | None = None,
        name: str = "model",
        spec: str = "module",
        options: Mapping[str, object] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.module = module
        self.geometry = geometry
        self.mean = mean
        self.std = std
        self.name = name
        self.spec = spec
        self.options = dict(options or {})
        self.notes = notes
        self._splits: dict[str, Split] = {}
        count = self._count_classes()
        if classes is not None and len(classes) != count:
            raise ModelError(
                f"expected {count} class names for {spec}, one a logit; got {len(classes)}. "
                "Check --classes FILE (one name a line) and --num-classes."
            )
        self.classes = classes or unnamed_classes(count)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sha256 (hex) of spec, options, weights, preprocessing and the user's own code of the network."""
        digest = hashlib.sha256()
        for source in own_sources(self.module):
            digest.update(source.read_bytes())
        said = [self.spec, self.options, repr(self.geometry), self.mean, self.std, type(self.module).__qualname__]
        digest.update(json.dumps(said, sort_keys=True, default=str).encode())
        for key, value in sorted(self.module.state_dict().items()):
            digest.update(f"{key}{tuple(value.shape)}{value.dtype}".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    def view(self, item: ImageItem) -> View:
        """Return what the model sees of `item`."""
        return self.geometry.view(item.pixels, item.id)

    def inputs(self, views: Sequence[View] | ByteArray) -> torch.Tensor:
        """Return (N, 3, H, W) float32, channels-last: pixels / 255, minus mean, divided by std."""
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        stored = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
        tensor = stored.to(torch.float32, copy=True).div_(255)
        mean = torch.tensor(self.mean).view(1, 3, 1, 1)
        std = torch.tensor(self.std).view(1, 3, 1, 1)
        return tensor.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)

    @property
    def batch_size(self) -> int:
        """How many views a forward pass takes at once: few large ones, more small ones."""
        height, width = self.geometry.input_size
        return max(LEAST_BATCH, PIXELS_AT_ONCE // (height * width) // LEAST_BATCH * LEAST_BATCH)

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run normalised (N, 3, H, W) inputs in batches; (N, classes) float32 logits, without gradients."""
        return self._run(torch.split(inputs, self.batch_size))

    def predict(self, views: Sequence[View] | ByteArray) -> FloatArray:
        """Return (N, classes) float32 raw logits of views, or of (N, h, w, 3) uint8 pixels of their size."""
        starts = range(0, len(views), self.batch_size)
        return self._run(self.inputs(views[at : at + self.batch_size]) for at in starts).numpy()

    def _run(self, batches: Iterable[torch.Tensor]) -> torch.Tensor:
        with borrowed(self.module), torch.no_grad():
            return torch.cat([logits_of(self.module(batch)).float() for batch in batches])

    @functools.cached_property
    def layers(self) -> list[Layer]:
        """Every layer that a forward pass runs, in the order in which they finish."""
        return trace_layers(self.module, self._example(1))

    @functools.cached_property
    def target_layer(self) -> str:
        """Where the CAM family looks unless told otherwise: the last spatial features before pooling."""
        return target_layer(self.layers).name

    @property
    def channels_last(self) -> frozenset[str]:
        """The layers whose maps are (h, w, C)."""
        return frozenset(layer.name for layer in self.layers if layer.channels_last)

    def select_layers(self, wanted: Sequence[str]) -> list[str]:
        """Turn names, wildcards, `auto` and `auto:5` into layer names."""
        return select_layers(wanted, self.layers)

    def layer(self, name: str) -> torch.nn.Module:
        """Return the module called `name`. Errors: `UnknownNameError` with the nearest names."""
        parts: dict[str, torch.nn.Module] = dict(self.module.named_modules())
        if not name or name not in parts:
            raise UnknownNameError("layer", name, [known for known in parts if known])
        return parts[name]

    def split(self, layer: str) -> Split:
        """Cut the network at `layer`, once; the cut is checked on two noise images. Call it on a borrowed module."""
        if layer not in self._splits:
            self.layer(layer)
            self._splits[layer] = split(self.module, layer, self._example(2))
        return self._splits[layer]

    def spatial_layer(self, name: str | None) -> str:
        """Return `name`, or the automatic target layer, if its output is a map. Errors: `LayerError` otherwise."""
        chosen = name or self.target_layer
        self.layer(chosen)
        found = next((layer for layer in self.layers if layer.name == chosen), None)
        if found is None or not found.spatial:
            shape = "no tensor" if found is None else f"shape {found.shape}"
            raise LayerError(
                f"expected a layer whose output is a (channels, height, width) map; {chosen} gives {shape}. "
                f"The automatic choice for {self.name} is {self.target_layer}."
            )
        return chosen

    def _count_classes(self) -> int:
        try:
            return int(self.logits(self._example(1)).shape[1])
        except RuntimeError as error:
            size = "×".join(map(str, self.geometry.input_size))
            raise ModelError(f"{self.spec} does not run on a {size} picture: {str(error).splitlines()[0]}") from error

    def _example(self, count: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        height, width = self.geometry.input_size
        return torch.randn(count, 3, height, width, generator=generator)
