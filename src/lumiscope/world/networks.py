"""The small residual network of the world's models."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from lumiscope.types import ByteArray

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)

STEM = 8
WIDTHS = (16, 24, 32, 48, 64)
STRIDES = (2, 2, 1, 2, 1)


class Block(nn.Module):
    """Two 3×3 convolutions and a way around them (He et al., CVPR 2016); the first and the way around it may halve."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.around = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        self.relu2 = nn.ReLU()
        self.stride = stride

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, before, h, w) -> (B, after, h / stride, w / stride), at least 0."""
        inner = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(maps)))))
        # halved before the 1×1 convolution: oneDNN crashes where AVX-512 trains one that halves (torch 2.15)
        activations: torch.Tensor = self.relu2(inner + self.around(maps[..., :: self.stride, :: self.stride]))
        return activations


class WorldNet(nn.Module):
    """Stem, five stages of one block each, global average pooling and a linear head.

    `outputs`: how many numbers it gives. `stem`, `widths`: channels. On 128×128 inputs the stem gives 64×64 maps and
    the stages 32×32, 16×16, 16×16, 8×8 and 8×8.
    """

    def __init__(self, outputs: int, stem: int = STEM, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        sizes = zip((stem, *widths), widths, STRIDES, strict=False)
        self.stage1, self.stage2, self.stage3, self.stage4, self.stage5 = (Block(*size) for size in sizes)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[-1], outputs)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w), normalised with MEAN and STD -> (B, outputs)."""
        maps = self.stage5(self.stage4(self.stage3(self.stage2(self.stage1(self.stem(images))))))
        outputs: torch.Tensor = self.fc(torch.flatten(self.pool(maps), 1))
        return outputs


def normalised(pixels: ByteArray) -> torch.Tensor:
    """Bring (B, h, w, 3) pixels to what the networks take: (B, 3, h, w) float32, channels last in memory."""
    scaled = torch.from_numpy(pixels).float()
    scaled.sub_(255 * torch.tensor(MEAN)).div_(255 * torch.tensor(STD))
    return scaled.permute(0, 3, 1, 2)
