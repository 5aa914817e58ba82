"""What a reader must know of the probing images: which count as one, and whether their order tells something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lumiscope.dissection.unit_labels import LayerLabels


def image_notes(layers: Sequence[LayerLabels]) -> list[str]:
    """Sentences about the images that the labels of some layers rest on; none where each image counts by itself."""
    return [*_group_notes(layers), *_order_notes(layers), *_cluster_notes(layers)]


def _group_notes(layers: Sequence[LayerLabels]) -> Iterator[str]:
    """For the layer in which most images count with others."""
    fewest = min(layers, key=lambda layer: len(np.unique(layer.groups)), default=None)
    if fewest is None or not fewest.groups.size:
        return
    count, images = len(np.unique(fewest.groups)), len(fewest.groups)
    if count < images:
        yield (
            f"The {images:,} probing images count as {count:,}: some are of one group, or copies of others, or nearly "
            "so (what units and concepts say of them correlates by 0.9 or more). They are permuted and drawn together, "
            "and are not parted where some images choose labels and others estimate what they are worth."
        )


def _order_notes(layers: Sequence[LayerLabels]) -> Iterator[str]:
    alike = [int(layer.blocks.max(initial=1)) for layer in layers]
    units = sum(int(np.count_nonzero(layer.blocks > 1)) for layer in layers)
    if units:
        yield (
            f"The order of the probing images tells something: {units:,} of {sum(map(len, layers)):,} units respond "
            f"alike to neighbours in the list, which were kept together in blocks of up to {max(alike):,}. Where that "
            "leaves fewer than 6 blocks, such a unit gets no label. If the order means nothing, list the images in a "
            "CSV with a column group, whose cells are the same only for images that belong together."
        )


def _cluster_notes(layers: Sequence[LayerLabels]) -> Iterator[str]:
    clustered = [layer for layer in layers if layer.clustered]
    if clustered:
        yield (
            f"The probing images come in clusters, as {len(clustered):,} of {len(layers):,} layers see them: many are "
            "nearer to another, in what units and concepts say, than images that have nothing to do with each other. "
            "If they are shots of the same scenes, pictures of the same patients or the like, they say less than so "
            "many images, and far more units that know nothing get a label than fdr allows: list the images in a CSV "
            "with a column group, whose cells are the same for images that belong together."
        )
