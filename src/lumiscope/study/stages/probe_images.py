"""A pass of a model over images, in which probes look at its layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lumiscope.dissection import Probe, collect_activations
from lumiscope.images import ImageItem
from lumiscope.models import TorchModel, borrowed
from lumiscope.types import FloatArray


def probe_images(
    model: TorchModel, items: Sequence[ImageItem], probes: Mapping[str, Probe]
) -> Iterator[tuple[Sequence[ImageItem], dict[str, FloatArray]]]:
    """Yield batches of images with what every probe read of them, (B, …) float32, in one forward pass a batch.

    The model is exactly what it was between two batches as well. Errors: `ImageError` for an image that cannot be read
    any more; `LayerError`.
    """
    for start in range(0, len(items), model.batch_size):
        batch = items[start : start + model.batch_size]
        inputs = model.inputs([model.view(item) for item in batch])
        with borrowed(model.network):
            (read,) = collect_activations([inputs], model.network, probes)
        yield batch, read
