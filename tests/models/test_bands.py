"""Networks of the bands of a file: what they are given, what hides it, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lumiscope
from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.attribution.hide_color import flat_picture
from lumiscope.attribution.regions._hiding import HIDING
from lumiscope.errors import ImageError, ModelError, UsageError
from lumiscope.images import Geometry, shown_triple
from lumiscope.models import TorchModel, load_model, unit_model

CUBE = np.random.default_rng(0).normal(3000, 900, (6, 16, 16)).astype(np.float32)
QUICK = {
    "rise": {"num_masks": 8},
    "lime": {"num_samples": 32, "segmenter": "grid"},
    "kernelshap": {"num_samples": 32, "segmenter": "grid"},
    "smoothgrad": {"num_samples": 2},
    "integrated_gradients": {"steps": 4},
}


def network(channels: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
    ).eval()


def model_of(channels: int = 4, mean=(3000.0,), std=(900.0,), **options) -> TorchModel:
    return TorchModel(network(channels), Geometry((16, 16), mode="squash"), mean=mean, std=std, **options)


@pytest.fixture
def images(tmp_path):
    np.save(tmp_path / "a.npy", CUBE[:4])
    np.save(tmp_path / "b.npy", np.moveaxis(CUBE[2:], 0, 2))
    return lumiscope.open_images(tmp_path)


@pytest.fixture
def six(tmp_path):
    np.save(tmp_path / "six.npy", CUBE)
    return lumiscope.open_images(tmp_path / "six.npy")


def test_a_network_of_bands_is_given_the_numbers_of_the_file(images):
    model = model_of(mean=(1, 2, 3, 4), std=(10, 20, 30, 40))
    views = [model.view(item) for item in images]
    expected = np.stack([CUBE[:4], CUBE[2:]])
    expected = (expected - np.array([1, 2, 3, 4])[:, None, None]) / np.array([10, 20, 30, 40])[:, None, None]
    np.testing.assert_allclose(model.inputs(views).numpy(), expected, rtol=1e-5)
    with torch.no_grad():
        np.testing.assert_allclose(
            model.predict(views), model.module(torch.from_numpy(expected).float()).numpy(), rtol=1e-4, atol=1e-4
        )
    np.testing.assert_array_equal(views[0].pixels, shown_triple(np.moveaxis(CUBE[:4], 0, 2)))


def test_chosen_bands_in_their_order_and_the_shown_triple(six):
    model = model_of(bands=(5, 0, 3, 1), shown_bands=(2, 1, 0))
    (view,) = [model.view(item) for item in six]
    np.testing.assert_array_equal(view.bands, np.moveaxis(CUBE[[5, 0, 3, 1]], 0, 2))
    np.testing.assert_array_equal(view.pixels, shown_triple(np.moveaxis(CUBE, 0, 2), (2, 1, 0)))
    assert model_of(bands=(5, 0, 3, 1)).reading.shown_bands == (5, 0, 3)
    (note,) = model.reading.notes
    assert note in model.notes
    assert "the bands 5, 0, 3, 1 of a file" in note
    assert "shown are the bands 2, 1, 0" in note
    assert model.fingerprint != model_of(bands=(0, 1, 2, 3)).fingerprint


def test_chosen_bands_for_a_network_of_rgb_and_of_one_channel(six):
    for channels, bands in ((3, (4, 2, 0)), (1, (3,))):
        model = model_of(channels, bands=bands)
        inputs = model.inputs([model.view(six[0])]).numpy()
        np.testing.assert_allclose(inputs[0], (CUBE[list(bands)] - 3000) / 900, rtol=1e-4, atol=1e-6)


def test_numbers_that_nobody_states_are_noted(images):
    model = model_of(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    assert (model.mean, model.std) == ((0.0,) * 4, (1.0,) * 4)
    assert any("minus mean 0, divided by std 1, as nothing states them of bands" in note for note in model.notes)
    np.testing.assert_array_equal(model.inputs([model.view(images[0])])[0].numpy(), CUBE[:4])


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method(name, images):
    options = {name: QUICK[name]} if name in QUICK else None
    maps = lumiscope.explain(model_of(), images, methods=[name], target=1, options=options, backend="eager")
    assert [saliency.values.shape for saliency in maps] == [(16, 16)] * 2
    assert all(np.isfinite(saliency.values).all() for saliency in maps)


def test_occlusion_hides_in_the_bands(images):
    """Each value is what the raw logit falls when a square of all bands gets the middle of their ranges."""
    model = model_of()
    options = {"window": 8, "stride": 8}
    (saliency,) = lumiscope.explain(
        model, [images[0]], methods=["occlusion"], target=1, options={"occlusion": options}, backend="eager"
    )
    inputs = model.inputs([model.view(images[0])])
    low, high = CUBE[:4].min((1, 2)), CUBE[:4].max((1, 2))
    grey = torch.from_numpy((low + (high - low) * 128 / 255 - 3000) / 900).float()
    hidden = inputs.clone()
    hidden[0, :, :8, 8:] = grey[:, None, None]
    with torch.no_grad():
        fall = model.module(inputs)[0, 1] - model.module(hidden)[0, 1]
    np.testing.assert_allclose(saliency.values[:8, 8:], float(fall), rtol=1e-3)


def test_what_hides_bands():
    bands = np.moveaxis(CUBE[:4], 0, 2)
    np.testing.assert_allclose(flat_picture(bands, None)[3, 4], bands.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(flat_picture(bands, 255)[0, 0], bands.max((0, 1)), rtol=1e-6)
    with pytest.raises(UsageError, match=r"a grey value .* got \(1, 2, 3\)"):
        flat_picture(bands, (1, 2, 3))
    segments = np.zeros((16, 16), np.int64)
    segments[:, 8:] = 1
    for name, hide in HIDING.items():
        hidden = hide(bands, segments, 0)
        assert (hidden.shape, hidden.dtype) == (bands.shape, np.float32), name
        assert (hidden >= bands.min((0, 1)) - 0.01).all(), name
        assert (hidden <= bands.max((0, 1)) + 0.01).all(), name
    np.testing.assert_allclose(HIDING["mean"](bands, segments, 0)[5, 9], bands[:, 8:].mean((0, 1)), rtol=1e-5)


def test_flips_mirror_the_bands(images):
    model = model_of()
    prepared = PreparedBatch(model, [model.view(images[0])], layer="1")
    np.testing.assert_array_equal(prepared.mirrored().inputs.values.numpy(), prepared.inputs.values.numpy()[..., ::-1])


def test_units_see_the_same_bands(six):
    model = model_of(bands=(5, 0, 3, 1))
    units, _ = unit_model(model, "1:2")
    np.testing.assert_array_equal(units.view(six[0]).fed, model.view(six[0]).fed)
    assert len(set(units.notes)) == len(units.notes)


def test_refusals_say_what_came(images, six, tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "picture.png")
    picture = lumiscope.open_images(tmp_path / "picture.png")[0]
    with pytest.raises(ImageError, match=r"picture.png: a picture \(PNG, RGB\), not .*a network of 4 bands"):
        model_of().view(picture)
    with pytest.raises(ImageError, match=r"six.npy: expected 4 bands; it has 6\. --bands"):
        model_of().view(six[0])
    with pytest.raises(ImageError, match="bands from 0 to 5, as it has 6; asked for 6"):
        model_of(bands=(6, 0, 1, 2)).view(six[0])
    with pytest.raises(ImageError, match=r"six.npy: a file of bands; the network takes pictures"):
        model_of(3, mean=(0.5,), std=(0.5,)).view(six[0])
    black_box = lumiscope.BlackBox(lambda pixels: np.ones((len(pixels), 2)) / 2, Geometry((16, 16)))
    with pytest.raises(ImageError, match=r"six.npy: a file of bands"):
        black_box.view(six[0])
    with pytest.raises(ModelError, match="does not run on a 16×16 picture of 3 bands"):
        model_of(bands=(0, 1, 2))
    with pytest.raises(UsageError, match="takes pictures, shown as they are"):
        model_of(3, mean=(0.5,), std=(0.5,), shown_bands=(0, 1, 2))
    with pytest.raises(UsageError, match="expected one or 4 numbers for mean"):
        model_of(mean=(1, 2))


def test_what_load_model_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = (
        "from torch import nn\n\n"
        "def net():\n    return nn.Sequential(nn.Conv2d({0}, 2, 3), nn.Flatten(), nn.Linear(392, 2))\n"
    )
    (tmp_path / "bands_of_four.py").write_text(code.format(4))
    (tmp_path / "bands_of_three.py").write_text(code.format(3))
    four = load_model("python:bands_of_four:net", input_size=16, mean=3000, std=[1, 2, 3, 4], bands=[4, 3, 2, 1])
    assert (four.mean, four.std) == ((3000.0,) * 4, (1.0, 2.0, 3.0, 4.0))
    assert not any("ImageNet" in note for note in four.notes)
    with pytest.raises(UsageError, match="expected one or 4 numbers for mean"):
        load_model("python:bands_of_four:net", input_size=16, mean=[1, 2, 3])
    three = load_model("python:bands_of_three:net", input_size=16, bands=[2, 1, 0])
    assert (three.mean, three.std) == ((0.0,) * 3, (1.0,) * 3)
    for given, message in (({"bands": []}, "bands as numbers"), ({"shown_bands": [1, 2]}, "three numbers")):
        with pytest.raises(UsageError, match=message):
            load_model("python:bands_of_four:net", input_size=16, **given)
    with pytest.raises(UsageError, match="divided by 255"):
        load_model("python:bands_of_three:net", input_size=16, mean=127)


def test_what_a_network_of_bands_states(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stated_bands.py").write_text(
        "from torch import nn\n\n"
        "def net(mean):\n    made = nn.Sequential(nn.Conv2d(4, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "    made.mean, made.std = mean, 900\n    return made\n"
    )
    for mean in (3000, [1, 2, 3, 4]):
        model = load_model("python:stated_bands:net", input_size=16, model_options={"mean": mean})
        assert model.mean == (tuple(mean) if isinstance(mean, list) else (3000,) * 4)
        assert model.std == (900,) * 4
        assert not any("nothing states" in note for note in model.notes)
