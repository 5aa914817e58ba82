"""Probing images that cannot be looked at, and layers that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from activation_reading import plain, plan_shards, read, whole
from lumiscope.errors import ImageError, LayerError, UnknownNameError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store

LAYERS = ["0", "1", "4"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def looked_at(tiny: TorchModel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the images that the model looks at, as they come."""
    seen: list[str] = []
    view = tiny.view

    def counting(item: ImageItem) -> object:
        seen.append(item.id)
        return view(item)

    monkeypatch.setattr(tiny, "view", counting)
    return seen


@pytest.mark.parametrize("kept", [True, False])
def test_an_image_that_fails_is_left_out_of_every_layer(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    plan_shards(monkeypatch, 3)
    read(tiny, pictures, ["0"], store=store)  # one layer has them all
    bad = pictures[4]
    bad.path.write_bytes(b"no picture any more")
    activations = read(tiny, pictures, LAYERS, store=store if kept else None)
    left = [item for item in pictures if item is not bad]
    assert activations.images == [item.id for item in left]
    assert [failure.item for failure in activations.failures] == [bad.id]
    (note,) = activations.notes
    assert note.startswith(f"1 probing image was left out of everything ({bad.name}: ")
    for layer in LAYERS:
        np.testing.assert_allclose(whole(activations.columns[layer]), plain(tiny, left, layer), rtol=1e-5, atol=1e-6)


def test_an_image_that_is_gone_before_it_was_hashed_is_left_out(
    tiny: TorchModel, pictures: ImageSet, store: Store
) -> None:
    pictures[2].path.unlink()
    activations = read(tiny, pictures, ["0"], store=store)
    assert activations.images == [item.id for number, item in enumerate(pictures) if number != 2]


def test_where_a_whole_first_shard_fails_the_error_is_raised(
    tiny: TorchModel, pictures: ImageSet, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_shards(monkeypatch, 3)
    for item in pictures[:3]:
        item.path.write_bytes(b"no picture any more")
    with pytest.raises(ImageError):
        read(tiny, pictures, ["0"])
    assert set(looked_at) == {item.id for item in pictures[:3]}


def test_faults_of_the_layer_are_errors_before_any_image_is_looked_at(
    tiny: TorchModel, pictures: ImageSet, looked_at: list[str]
) -> None:
    with pytest.raises(UnknownNameError, match="layer"):
        read(tiny, pictures, ["9"])
    with pytest.raises(LayerError, match="with a class token for 0@class"):
        read(tiny, pictures, ["0@class"])
    with pytest.raises(UnknownNameError, match="pooling"):
        read(tiny, pictures, ["0"], pooling="median")
    assert looked_at == []
