"""Pooled activations of the probing images: computed once by image, never stale, the same with and without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from activation_reading import plain, plan_shards, read, watched, whole
from lumiscope.columns import ColumnFile
from lumiscope.errors import StoreError
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


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("small", [True, False])
def test_they_equal_plain_activations(
    tiny: TorchModel,
    pictures: ImageSet,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    pooling: str,
    kept: bool,
    small: bool,
) -> None:
    plan_shards(monkeypatch, 3)
    if not small:
        monkeypatch.setattr("lumiscope.columns.SMALL", 0)
    activations = read(tiny, pictures, LAYERS, pooling=pooling, store=store if kept else None)
    assert list(activations.columns) == LAYERS
    assert activations.images == [item.id for item in pictures]
    for layer in LAYERS:
        columns = activations.columns[layer]
        assert isinstance(columns, np.ndarray if small else ColumnFile)
        np.testing.assert_allclose(whole(columns), plain(tiny, pictures, layer, pooling), rtol=1e-5, atol=1e-6)
    assert len(activations.columns["4"]) == len(pictures)


def test_what_is_kept_is_not_computed_again(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str]
) -> None:
    first = read(tiny, pictures, ["0"], store=store)
    assert looked_at == [item.id for item in pictures]
    again = read(tiny, pictures, ["0"], store=Store(store.root))
    assert len(looked_at) == len(pictures)
    np.testing.assert_array_equal(whole(again.columns["0"]), whole(first.columns["0"]))
    # the same images in another set and order, and by another name
    other = replace(pictures, items=tuple(replace(item, id=f"x{item.id}") for item in reversed(pictures)))
    turned = read(tiny, other, ["0"], store=Store(store.root))
    assert len(looked_at) == len(pictures)
    np.testing.assert_array_equal(whole(turned.columns["0"]), whole(first.columns["0"])[::-1])


def test_one_pass_serves_all_layers(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tiny, pictures, ["0"], store=store)
    rows: list[int] = []
    handle = tiny.module[0].register_forward_hook(lambda *call: rows.append(len(call[2])))
    tiny.layers  # noqa: B018 - traced before the count begins
    rows.clear()
    read(tiny, pictures, LAYERS, store=store)
    handle.remove()
    assert sum(rows) == len(pictures)


def test_a_pass_that_was_stopped_goes_on_where_it_was(
    tiny: TorchModel,
    pictures: ImageSet,
    store: Store,
    looked_at: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan_shards(monkeypatch, 2)
    whole_run = read(tiny, pictures, LAYERS)
    shards: list[int] = []

    def stop_at_the_third(items: Sequence[ImageItem]) -> None:
        shards.append(len(items))
        if len(shards) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        watched(patch, stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            read(tiny, pictures, LAYERS, store=store)
    looked_at.clear()
    resumed = read(tiny, pictures, LAYERS, store=Store(store.root))
    assert looked_at == [item.id for item in pictures][4:]
    for layer in LAYERS:
        np.testing.assert_array_equal(whole(resumed.columns[layer]), whole(whole_run.columns[layer]))


def test_a_damaged_shard_is_computed_again(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_shards(monkeypatch, 4)
    first = read(tiny, pictures, ["0"], store=store)
    expected = whole(first.columns["0"])
    shards = sorted(store.root.rglob("*.safetensors"))
    assert len(shards) == 2
    shards[0].write_bytes(shards[0].read_bytes()[:-4] + b"bad!")
    with pytest.raises(StoreError, match="damaged or removed meanwhile"):
        first.columns["0"]
    looked_at.clear()
    fresh = Store(store.root)
    again = read(tiny, pictures, ["0"], store=fresh)
    assert len(fresh.damaged) == 1
    assert len(looked_at) in (3, 4)
    np.testing.assert_array_equal(whole(again.columns["0"]), expected)


def edited_weights(model: TorchModel) -> TorchModel:
    changed = torch.nn.Sequential(*model.module)
    changed.load_state_dict({key: 2 * value for key, value in model.module.state_dict().items()})
    return TorchModel(changed.eval(), model.geometry, mean=model.mean, std=model.std, name=model.name)


@pytest.mark.parametrize("change", ["weights", "pooling", "image", "layer"])
def test_nothing_stale_is_reused(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    read(tiny, pictures, ["0"], store=store)
    model, images, layer, pooling = tiny, pictures, "0", "mean"
    if change == "weights":
        model = edited_weights(tiny)
    elif change == "pooling":
        pooling = "max"
    elif change == "layer":
        layer = "1"
    else:
        Image.fromarray(255 - pictures[0].pixels).save(pictures[0].path)
        images = ImageSet((replace(pictures[0]),), "pictures")
    passes: list[int] = []
    watched(monkeypatch, lambda items: passes.append(len(items)))
    activations = read(model, images, [layer], pooling=pooling, store=Store(store.root))
    assert sum(passes) == len(images)
    np.testing.assert_allclose(
        whole(activations.columns[layer]), plain(model, images, layer, pooling), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_finite_is_kept_where_it_is(tiny: TorchModel, pictures: ImageSet, store: Store, kept: bool) -> None:
    tiny.module[0].weight.data[2] = torch.nan
    tiny.module[0].bias.data[3] = torch.inf
    values = whole(read(tiny, pictures, ["0"], store=store if kept else None).columns["0"])
    assert np.isnan(values[:, 2]).all()
    assert np.isposinf(values[:, 3]).all()
    assert np.isfinite(values[:, [0, 1, 4, 5]]).all()


def test_images_that_are_listed_twice_have_a_row_each(tiny: TorchModel, pictures: ImageSet, store: Store) -> None:
    twice = replace(pictures, items=(*pictures, replace(pictures[1], id="again")))
    for kept in (store, None):
        values = whole(read(tiny, twice, ["0"], store=kept).columns["0"])
        assert len(values) == len(pictures) + 1
        np.testing.assert_allclose(values[-1], values[1], rtol=1e-5)


def test_nothing_is_computed_for_no_layers(tiny: TorchModel, pictures: ImageSet, looked_at: list[str]) -> None:
    assert dict(read(tiny, pictures, []).columns) == {}
    assert looked_at == []


def test_the_model_is_left_as_it_was(tiny: TorchModel, pictures: ImageSet) -> None:
    tiny.module.train()
    read(tiny, pictures, LAYERS)
    assert all(part.training and not part._forward_hooks for part in tiny.module.modules())
    assert all(parameter.requires_grad for parameter in tiny.module.parameters())
