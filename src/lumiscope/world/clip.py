"""Images and texts of the world in one space: two encoders trained contrastively (Radford et al., CLIP, ICML 2021)."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from lumiscope.world.networks import WorldNet
from lumiscope.world.text import TextEncoder

EMBEDDING = 128
WIDTHS = (24, 32, 48, 80, 128)
FIRST_SCALE = 10.0


class WorldClip(nn.Module):
    """An image and a text encoder. `log_scale`: logarithm of what cosines are multiplied with: 1 / temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.image = WorldNet(EMBEDDING, widths=WIDTHS)
        self.text = TextEncoder(EMBEDDING)
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))

    def embed_images(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w) normalised images -> (B, EMBEDDING), of length 1."""
        return functional.normalize(self.image(images), dim=1)

    def embed_texts(self, tokens: torch.Tensor) -> torch.Tensor:
        """(T, L) numbers of words -> (T, EMBEDDING), of length 1."""
        return functional.normalize(self.text(tokens), dim=1)

    def forward(self, images: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T) cosines times scale."""
        return self.embed_images(images) @ self.embed_texts(tokens).T * self.log_scale.exp()
