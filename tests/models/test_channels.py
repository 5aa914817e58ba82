"""What networks take that take no RGB picture: luminance, or a wrapper that the refusal shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lumiscope
from lumiscope.attribution import METHODS
from lumiscope.errors import ModelError, UsageError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel, load_model
from models.onnx_graphs import WEIGHTS, write

GREY = np.array([0.299, 0.587, 0.114])


def network(channels: int = 1, classes: int = 3) -> nn.Sequential:
    """Convolutions on `channels`, seeded."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes)
    ).eval()


class Widened(nn.Module):
    """Repeats its only channel for a network of RGB."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network(3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        assert inputs.shape[1] == 1
        return self.network(inputs.repeat(1, 3, 1, 1))


class Digits(nn.Module):
    """A perceptron on 28×28 numbers, as for MNIST."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(28 * 28, 10)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(inputs.flatten(1))


def model_of(module: nn.Module, side: int = 16, mean=(0.5,), std=(0.25,)) -> TorchModel:
    return TorchModel(module.eval(), Geometry((side, side), mode="squash"), mean=mean, std=std)


@pytest.fixture
def pictures(tmp_path):
    """Two pictures of colour, one of grey, one of a single bit."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a", "b"):
        Image.fromarray(generator.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / f"{name}.png")
    Image.fromarray(generator.integers(0, 256, (20, 24), np.uint8)).save(folder / "grey.png")
    Image.fromarray(generator.integers(0, 256, (20, 24), np.uint8)).convert("1").save(folder / "bit.png")
    return lumiscope.open_images(folder)


@pytest.mark.parametrize("module", [network(1), Widened(), nn.Sequential(nn.BatchNorm2d(1), network(1))])
def test_one_channel_is_what_pillow_calls_luminance(module, pictures):
    model = model_of(module)
    views = [model.view(item) for item in pictures]
    grey = np.stack([np.array(Image.fromarray(view.pixels).convert("L")) for view in views])
    expected = (torch.from_numpy(grey)[:, None] / 255 - 0.5) / 0.25
    torch.testing.assert_close(model.inputs(views), expected)
    near = np.stack([view.pixels for view in views]) @ GREY  # rounded to whole numbers
    assert np.abs(near - grey).max() <= 0.502
    with torch.no_grad():
        np.testing.assert_allclose(model.predict(views), module(expected).numpy(), rtol=1e-5, atol=1e-6)
    assert any("luminance" in note and "mean 0.5" in note and "std 0.25" in note for note in model.notes)


def test_a_perceptron_takes_the_pixels_of_one_channel(pictures):
    module = Digits()
    model = model_of(module, side=28, mean=(0.1307,), std=(0.3081,))
    assert model.channels == 1
    assert model.inputs([model.view(pictures[0])]).shape == (1, 1, 28, 28)


def test_three_numbers_of_rgb_become_their_mean():
    model = model_of(network(1), mean=(0.1, 0.2, 0.6), std=(0.2, 0.3, 0.4))
    assert model.mean == pytest.approx((0.3,))
    assert model.std == pytest.approx((0.3,))
    with pytest.raises(UsageError, match="one or three of RGB numbers for mean"):
        model_of(network(1), mean=(0.1, 0.2))


def test_what_runs_on_rgb_gets_rgb(pictures):
    class Mean(nn.Module):
        """Takes any number of channels."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network(1)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.network(inputs.mean(1, keepdim=True))

    model = model_of(Mean())
    assert model.channels == 3
    assert model.mean == (0.5, 0.5, 0.5)
    assert not any("luminance" in note for note in model.notes)


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_on_one_channel(name, pictures):
    """A network of one channel has the maps of the same network behind a layer that makes luminance of RGB."""
    model = model_of(network(1))
    quick = {
        "rise": {"num_masks": 8},
        "lime": {"num_samples": 32, "segmenter": "grid"},
        "kernelshap": {"num_samples": 32, "segmenter": "grid"},
        "smoothgrad": {"num_samples": 2},
        "integrated_gradients": {"steps": 4},
    }
    options = {name: quick[name]} if name in quick else None
    maps = lumiscope.explain(model, pictures, methods=[name], target=1, options=options, backend="eager")
    assert [saliency.values.shape for saliency in maps] == [(16, 16)] * len(pictures)
    assert all(np.isfinite(saliency.values).all() for saliency in maps)


def test_gradients_of_one_channel_are_the_maps(pictures):
    model = model_of(network(1))
    (saliency,) = lumiscope.explain(model, [pictures[0]], methods=["saliency"], target=1, backend="eager")
    inputs = model.inputs([model.view(pictures[0])]).requires_grad_()
    (gradient,) = torch.autograd.grad(model.module(inputs)[0, 1], inputs)
    np.testing.assert_allclose(saliency.values, gradient[0, 0].abs().numpy(), rtol=1e-5, atol=1e-8)


def test_units_of_a_network_of_one_channel(pictures):
    model = model_of(network(1))
    maps = lumiscope.explain(model, pictures, methods=["gradcam"], unit="1:2", backend="eager")
    assert len(maps) == len(pictures)


def test_an_onnx_graph_of_one_channel(tmp_path, pictures):
    model = load_model(write(tmp_path / "grey.onnx", ["n", 1, 20, 24]), mean=0.5, std=0.25, geometry="squash")
    views = [model.view(item) for item in pictures]
    grey = np.stack([np.array(Image.fromarray(view.pixels).convert("L")) for view in views])
    means = ((grey / 255 - 0.5) / 0.25).mean((1, 2))
    np.testing.assert_allclose(model.predict(views), means[:, None] * WEIGHTS[:, 0], rtol=1e-4, atol=1e-5)
    assert any("luminance" in note for note in model.notes)


def test_volumes_are_refused_with_a_wrapper_that_does():
    class Clips(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv3d(3, 4, 3, padding=1)
            self.head = nn.Linear(4, 5)

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            return self.head(self.first(clips).mean((2, 3, 4)))

    with pytest.raises(ModelError, match=r"takes volumes, \(N, channels, D, H, W\).*Conv3d") as refusal:
        model_of(Clips())
    model = model_of(_wrapper(str(refusal.value))(Clips()))
    assert (model.channels, len(model.classes)) == (3, 5)


def test_several_inputs_are_refused_with_a_wrapper_that_does():
    class WithAge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network(3)

        def forward(self, image: torch.Tensor, age: torch.Tensor, *, weight: torch.Tensor) -> torch.Tensor:
            return self.network(image) + age * weight

    with pytest.raises(ModelError, match="takes 3 inputs: image, age, weight") as refusal:
        model_of(WithAge())
    wrapper = _wrapper(str(refusal.value))
    module = WithAge()
    model = model_of(wrapper(module, age=torch.tensor([[2.0]]), weight=torch.tensor([[3.0]])))
    inputs = torch.zeros(2, 3, 16, 16)
    torch.testing.assert_close(model.module(inputs), module.network(inputs) + 6)


def test_a_mapping_is_refused_with_a_wrapper_that_does():
    class Keyed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network(3)

        def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return self.network(batch.get("image"))

    with pytest.raises(ModelError, match="does not run on a 16×16 picture") as refusal:
        model_of(Keyed())
    assert model_of(_wrapper(str(refusal.value))(Keyed())).channels == 3


def _wrapper(message: str) -> type[nn.Module]:
    """The class that a message shows."""
    code = "class OnePicture" + message.partition("class OnePicture")[2].partition("\n\nFor ")[0]
    names: dict[str, object] = {"torch": torch}
    exec(code, names)
    wrapper = names["OnePicture"]
    assert isinstance(wrapper, type)
    return wrapper
