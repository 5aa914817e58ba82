"""Pooled activations of the probing images: computed once by image, never stale, the same with and without a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lumiscope.study.activations as activations
from lumiscope.columns import ColumnFile
from lumiscope.errors import ImageError, LayerError, StoreError, UnknownNameError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study.activations import stored_activations

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


def plain(model: TorchModel, images: Sequence[ImageItem], layer: str, pooling: str = "mean") -> np.ndarray:
    """Image by image, in float64: what the parts up to `layer` give, reduced over space."""
    rows = []
    for item in images:
        with torch.no_grad():
            output = model.module[: int(layer) + 1](model.inputs([model.view(item)]))[0].double().numpy()
        reduce = {"mean": np.mean, "max": np.max}[pooling]
        rows.append(reduce(output, axis=(1, 2)) if output.ndim == 3 else output)
    return np.stack(rows)


def whole(columns: object) -> np.ndarray:
    return np.asarray(columns[:, 0 : columns.shape[1]])  # type: ignore[index, attr-defined]


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
    monkeypatch.setattr(activations, "SHARD", 3)
    if not small:
        monkeypatch.setattr("lumiscope.columns.SMALL", 0)
    found = stored_activations(tiny, pictures, LAYERS, pooling=pooling, store=store if kept else None)
    assert list(found) == LAYERS
    assert found.images is pictures
    for layer in LAYERS:
        columns = found[layer]
        assert isinstance(columns, np.ndarray if small else ColumnFile)
        np.testing.assert_allclose(whole(columns), plain(tiny, pictures, layer, pooling), rtol=1e-5, atol=1e-6)
    assert len(found["4"]) == len(pictures)


def test_what_is_kept_is_not_computed_again(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str]
) -> None:
    first = stored_activations(tiny, pictures, ["0"], store=store)
    assert looked_at == [item.id for item in pictures]
    again = stored_activations(tiny, pictures, ["0"], store=Store(store.root))
    assert len(looked_at) == len(pictures)
    np.testing.assert_array_equal(whole(again["0"]), whole(first["0"]))
    # the same images in another set and order, and by another name
    other = replace(pictures, items=tuple(replace(item, id=f"x{item.id}") for item in reversed(pictures)))
    turned = stored_activations(tiny, other, ["0"], store=Store(store.root))
    assert len(looked_at) == len(pictures)
    np.testing.assert_array_equal(whole(turned["0"]), whole(first["0"])[::-1])


def test_one_pass_serves_all_layers(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_activations(tiny, pictures, ["0"], store=store)
    rows: list[int] = []
    handle = tiny.module[0].register_forward_hook(lambda *call: rows.append(len(call[2])))
    tiny.layers  # noqa: B018 - traced before the count begins
    rows.clear()
    stored_activations(tiny, pictures, LAYERS, store=store)
    handle.remove()
    assert sum(rows) == len(pictures)


def test_a_pass_that_was_stopped_goes_on_where_it_was(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "SHARD", 2)
    whole_run = stored_activations(tiny, pictures, LAYERS)
    looked_at.clear()
    shards = 0

    def stops_after_two(*arguments: object) -> object:
        nonlocal shards
        shards += 1
        if shards == 3:
            raise KeyboardInterrupt
        return probe_images(*arguments)

    probe_images = activations.probe_images
    monkeypatch.setattr(activations, "probe_images", stops_after_two)
    with pytest.raises(KeyboardInterrupt):
        stored_activations(tiny, pictures, LAYERS, store=store)
    monkeypatch.setattr(activations, "probe_images", probe_images)
    looked_at.clear()
    resumed = stored_activations(tiny, pictures, LAYERS, store=Store(store.root))
    assert looked_at == [item.id for item in pictures][4:]
    for layer in LAYERS:
        np.testing.assert_array_equal(whole(resumed[layer]), whole(whole_run[layer]))


def test_a_damaged_shard_is_computed_again(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "SHARD", 4)
    first = stored_activations(tiny, pictures, ["0"], store=store)
    expected = whole(first["0"])
    shards = sorted(store.root.rglob("*.safetensors"))
    assert len(shards) == 2
    shards[0].write_bytes(shards[0].read_bytes()[:-4] + b"bad!")
    with pytest.raises(StoreError, match="damaged or removed meanwhile"):
        first["0"]
    looked_at.clear()
    fresh = Store(store.root)
    again = stored_activations(tiny, pictures, ["0"], store=fresh)
    assert len(fresh.damaged) == 1
    assert len(looked_at) in (3, 4)
    np.testing.assert_array_equal(whole(again["0"]), expected)


def edited_weights(model: TorchModel) -> TorchModel:
    changed = torch.nn.Sequential(*model.module)
    changed.load_state_dict({key: 2 * value for key, value in model.module.state_dict().items()})
    return TorchModel(changed.eval(), model.geometry, mean=model.mean, std=model.std, name=model.name)


@pytest.mark.parametrize("change", ["weights", "pooling", "version", "image", "layer"])
def test_nothing_stale_is_reused(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    stored_activations(tiny, pictures, ["0"], store=store)
    model, images, layer, pooling = tiny, pictures, "0", "mean"
    if change == "weights":
        model = edited_weights(tiny)
    elif change == "pooling":
        pooling = "max"
    elif change == "layer":
        layer = "1"
    elif change == "version":
        monkeypatch.setattr(activations, "VERSION", activations.VERSION + 1)
    else:
        Image.fromarray(255 - pictures[0].pixels).save(pictures[0].path)
        images = ImageSet((replace(pictures[0]),), "pictures")
    passes: list[int] = []
    probe_images = activations.probe_images
    counted: Callable[..., object] = lambda *given: passes.append(len(given[1])) or probe_images(*given)  # noqa: E731
    monkeypatch.setattr(activations, "probe_images", counted)
    found = stored_activations(model, images, [layer], pooling=pooling, store=Store(store.root))
    assert sum(passes) == len(images)
    np.testing.assert_allclose(whole(found[layer]), plain(model, images, layer, pooling), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kept", [True, False])
def test_an_image_that_fails_is_left_out_of_every_layer(
    tiny: TorchModel, pictures: ImageSet, store: Store, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(activations, "SHARD", 3)
    stored_activations(tiny, pictures, ["0"], store=store)  # one layer has them all
    bad = pictures[4]
    bad.path.write_bytes(b"no picture any more")
    found = stored_activations(tiny, pictures, LAYERS, store=store if kept else None)
    left = [item for item in pictures if item is not bad]
    assert list(found.images) == left
    assert [entry.name for entry in found.skipped] == [bad.name]
    assert bad.name in [entry.name for entry in found.images.skipped]
    for layer in LAYERS:
        np.testing.assert_allclose(whole(found[layer]), plain(tiny, left, layer), rtol=1e-5, atol=1e-6)


def test_an_image_that_is_gone_before_it_was_hashed_is_left_out(
    tiny: TorchModel, pictures: ImageSet, store: Store
) -> None:
    pictures[2].path.unlink()
    found = stored_activations(tiny, pictures, ["0"], store=store)
    assert [item.id for item in found.images] == [item.id for number, item in enumerate(pictures) if number != 2]


def test_where_a_whole_first_shard_fails_the_error_is_raised(
    tiny: TorchModel, pictures: ImageSet, store: Store, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "SHARD", 3)
    for item in pictures[:3]:
        item.path.write_bytes(b"no picture any more")
    with pytest.raises(ImageError):
        stored_activations(tiny, pictures, ["0"], store=store)
    assert set(looked_at) == {item.id for item in pictures[:3]}


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_not_finite_is_kept_where_it_is(tiny: TorchModel, pictures: ImageSet, store: Store, kept: bool) -> None:
    tiny.module[0].weight.data[2] = torch.nan
    tiny.module[0].bias.data[3] = torch.inf
    found = whole(stored_activations(tiny, pictures, ["0"], store=store if kept else None)["0"])
    assert np.isnan(found[:, 2]).all()
    assert np.isposinf(found[:, 3]).all()
    assert np.isfinite(found[:, [0, 1, 4, 5]]).all()


def test_images_that_are_listed_twice_have_a_row_each(tiny: TorchModel, pictures: ImageSet, store: Store) -> None:
    twice = replace(pictures, items=(*pictures, replace(pictures[1], id="again")))
    for kept in (store, None):
        found = whole(stored_activations(tiny, twice, ["0"], store=kept)["0"])
        assert len(found) == len(pictures) + 1
        np.testing.assert_allclose(found[-1], found[1], rtol=1e-5)


def test_faults_of_the_layer_are_errors_before_any_image_is_looked_at(
    tiny: TorchModel, pictures: ImageSet, looked_at: list[str]
) -> None:
    with pytest.raises(UnknownNameError, match="layer"):
        stored_activations(tiny, pictures, ["9"])
    with pytest.raises(LayerError, match="0 has no class token"):
        stored_activations(tiny, pictures, ["0@class"])
    with pytest.raises(UnknownNameError, match="pooling"):
        stored_activations(tiny, pictures, ["0"], pooling="median")
    assert looked_at == []


def test_nothing_is_computed_for_no_layers(tiny: TorchModel, pictures: ImageSet, looked_at: list[str]) -> None:
    assert dict(stored_activations(tiny, pictures, [])) == {}
    assert looked_at == []


def test_the_model_is_left_as_it_was(tiny: TorchModel, pictures: ImageSet) -> None:
    tiny.module.train()
    stored_activations(tiny, pictures, LAYERS)
    assert all(part.training and not part._forward_hooks for part in tiny.module.modules())
    assert all(parameter.requires_grad for parameter in tiny.module.parameters())
