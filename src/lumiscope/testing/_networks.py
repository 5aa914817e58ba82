"""Small networks and pictures to check entries on; everything follows from seeds."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lumiscope.images import Geometry, View
from lumiscope.models import TorchModel
from lumiscope.types import ByteArray

SIZE = (24, 32)
CLASSES = ("a", "b", "c", "d")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Raising(nn.Module):
    """Passes its input on; `after` so many calls it raises. None: never."""

    def __init__(self) -> None:
        super().__init__()
        self.after: int | None = None

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Errors: `RuntimeError`, as a network's own code may raise."""
        if self.after is not None:
            if self.after == 0:
                raise RuntimeError("raised midway")
            self.after -= 1
        return inputs


class Bent(nn.Module):
    """A residual block with batch norms and ReLUs in place, and a head that bends."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=4, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.mix = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.maps = nn.ReLU()
        self.tail = Raising()
        self.head = nn.Sequential(nn.Linear(width, 8), nn.ReLU(), nn.Linear(8, len(CLASSES)))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B, classes) logits."""
        stem = self.relu(self.norm(self.stem(inputs)))
        maps = self.maps(self.mix(stem) + stem)
        logits: torch.Tensor = self.head(self.tail(maps).mean((2, 3)))
        return logits


def plain(width: int = 6) -> nn.Sequential:
    """Convolutions with ReLUs, global average pooling and a linear layer. Layer 3 is the last with positions."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width + 2, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width + 2, len(CLASSES)),
    )


def seeded(module: nn.Module, seed: int = 0) -> nn.Module:
    """`module` with weights that follow from `seed`, and batch norms that do something, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            if not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator)
            if name.endswith("running_var"):
                value.copy_(0.5 + noise.abs())
            elif value.ndim > 1:
                value.copy_(noise * (1.5 / value[0].numel()) ** 0.5)
            else:
                value.copy_(0.3 * noise + (1 if name.endswith("weight") else 0))
    return module.eval()


def model_of(module: nn.Module, name: str) -> TorchModel:
    """`module` as a classifier of pictures of 24×32 pixels in four classes."""
    geometry = Geometry(SIZE, mode="squash")
    return TorchModel(module, geometry, mean=MEAN, std=STD, classes=CLASSES, name=name, spec=f"python:{name}")


def bent_model() -> TorchModel:
    """A model whose layer `maps` is followed by a head that bends."""
    with torch.random.fork_rng(devices=[]):
        return model_of(seeded(Bent()), "bent")


def plain_model() -> TorchModel:
    """A model whose layer `3` is followed by pooling and a linear layer."""
    with torch.random.fork_rng(devices=[]):
        return model_of(seeded(plain(), 1), "plain")


def flat_model(value: float) -> TorchModel:
    """As `plain_model`, with every weight `value`: 0 is a dead network, NaN a broken one."""
    model = plain_model()
    with torch.no_grad():
        for weights in model.module.parameters():
            weights.fill_(value)
    return model


def layer_of(model: TorchModel) -> str:
    """Where to look at a model from here."""
    return "maps" if isinstance(model.module, Bent) else "3"


def picture(seed: int, size: tuple[int, int] = SIZE) -> ByteArray:
    """(h, w, 3) uint8: soft blobs of colour with a little noise, so that there is something to cut into segments."""
    generator = np.random.default_rng(seed)
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.full((height, width, 3), 96.0)
    for _ in range(6):
        row, column = generator.uniform(0, height), generator.uniform(0, width)
        reach = generator.uniform(0.1, 0.3) * height
        blob = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * reach**2))
        pixels += blob[..., None] * generator.uniform(-160, 160, 3)
    return (pixels + generator.normal(0, 3, pixels.shape)).clip(0, 255).astype(np.uint8)


def views_of(count: int = 3, first: int = 0) -> list[View]:
    """Views of the pictures from `first` on."""
    return [view_of(picture(number), f"picture {number}") for number in range(first, first + count)]


def view_of(pixels: ByteArray, item_id: str) -> View:
    """A view that is a whole picture."""
    height, width = pixels.shape[:2]
    return View(pixels, item_id, (0.0, 0.0, float(width), float(height)), (height, width))
