"""Batches of images of which some fail, or are too large for the memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from lumiscope.study.attempts import attempt

from lumiscope.errors import ImageError, ModelError
from lumiscope.images import ImageItem, ImageSet, Skipped
from lumiscope.models import TorchModel
from lumiscope.study import explain

OPTIONS = {"lime": {"num_samples": 20}, "kernelshap": {"num_samples": 20}, "rise": {"num_masks": 20}}
OPTIONS |= {"smoothgrad": {"num_samples": 4}, "integrated_gradients": {"steps": 4}, "occlusion": {"window": 16}}


def sizes_of(pictures: ImageSet, work: object, failed: list[Skipped], *, stop: bool = False) -> list[int]:
    """How many images were done at once, batch by batch, of planned batches of four."""
    batches = [list(pictures)[:4], list(pictures)[4:]]
    return [len(batch) for batch, _ in attempt(batches, work, failed, stop=stop)]  # type: ignore[arg-type]


def test_a_batch_that_fails_is_tried_image_by_image(pictures: ImageSet) -> None:
    def work(batch: Sequence[ImageItem]) -> None:
        if pictures[1] in batch:
            raise ImageError("bad")

    failed: list[Skipped] = []
    assert sizes_of(pictures, work, failed) == [1, 1, 1, 3]
    assert [(entry.name, entry.reason) for entry in failed] == [(pictures[1].name, "bad")]
    with pytest.raises(ImageError):
        sizes_of(pictures, work, [], stop=True)


@pytest.mark.parametrize("stop", [False, True])
def test_where_memory_runs_out_half_as_many_images_go_on(
    pictures: ImageSet, stop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[int] = []

    def work(batch: Sequence[ImageItem]) -> None:
        tried.append(len(batch))
        if len(batch) > 2:
            raise MemoryError

    failed: list[Skipped] = []
    assert sizes_of(pictures, work, failed, stop=stop) == [2, 2, 2, 1]
    assert tried == [4, 2, 2, 2, 1]
    assert failed == []
    assert caplog.messages == ["memory ran out; going on with at most 2 images at once"]


@pytest.mark.parametrize("stop", [False, True])
def test_memory_that_does_not_suffice_for_one_image_is_said_in_words(pictures: ImageSet, stop: bool) -> None:
    def work(batch: Sequence[ImageItem]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand more")

    with pytest.raises(ModelError, match=r"even with one image at a time \(CUDA out of memory. .* 2 GiB\). Free some"):
        sizes_of(pictures, work, [], stop=stop)


class Limited(torch.nn.Module):
    """A network that needs more memory than there is for more than `most` images."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        found: torch.Tensor = self.network(inputs)
        return found


@pytest.mark.parametrize("most", [3, 2])
def test_maps_are_the_same_where_few_images_fit(tiny: TorchModel, pictures: ImageSet, most: int) -> None:
    def maps(network: torch.nn.Module) -> list[np.ndarray]:
        model = TorchModel(network.eval(), tiny.geometry, mean=tiny.mean, std=tiny.std, classes=tiny.classes)
        made = explain(model, pictures[:5], methods="*", layer="network.1", options=OPTIONS, backend="torch")
        return [one.values for one in made]

    unlimited = maps(Limited(tiny.module, 1000))
    for ours, expected in zip(maps(Limited(tiny.module, most)), unlimited, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-5)
