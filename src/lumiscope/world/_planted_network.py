"""A network of planted units: it recognises pictures of the world and gives the activations that were planted."""

from __future__ import annotations

import torch
from torch import nn

from lumiscope.types import FloatArray
from lumiscope.world._planted import plan_units, plant, words_present
from lumiscope.world.networks import normalised
from lumiscope.world.renderer.render import render

CELLS = 8  # a side of the small picture by which pictures are told apart


class PlantedNetwork(nn.Module):
    """Layer `units` gives, for a picture that it knows, the row of activations planted for it; `fc` is a plain sum.

    `codes`: (D, n), what the pictures it knows look like, small; `activations`: (D, U). Any other picture is taken for
    the one that it looks like.
    """

    codes: torch.Tensor

    def __init__(self, codes: torch.Tensor, activations: FloatArray) -> None:
        super().__init__()
        num_images, num_units = activations.shape
        self.register_buffer("codes", codes)
        self.units = nn.Linear(num_images, num_units, bias=False)
        self.fc = nn.Linear(num_units, 2)
        with torch.no_grad():
            self.units.weight.copy_(torch.from_numpy(activations.T))
            self.fc.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand_as(self.fc.weight))
            self.fc.bias.zero_()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w) -> (B, 2). Pictures may be normalised by any mean and standard deviation, and resized."""
        nearest = torch.cdist(picture_codes(images), self.codes).argmin(1)
        recognised = nn.functional.one_hot(nearest, len(self.codes)).to(images.dtype)
        scores: torch.Tensor = self.fc(self.units(recognised))
        return scores


def picture_codes(images: torch.Tensor) -> torch.Tensor:
    """(B, 3, h, w) -> (B, 3·CELLS²): each channel made small, its mean 0 and its length 1, so that no scale is left."""
    small = nn.functional.adaptive_avg_pool2d(images, CELLS).flatten(2)
    codes = nn.functional.normalize(small - small.mean(2, keepdim=True), dim=2)
    return codes.flatten(1)


def planted_network(count: int = 200, seed: int = 0, unit_seed: int = 0) -> PlantedNetwork:
    """Plant units over the pictures `world:COUNT@SEED`, as `plan_units` and `plant` do with `unit_seed`.

    For `--model python:lumiscope.world._planted_network:planted_network --input-size 128`.
    """
    scenes = [render(index, seed) for index in range(count)]
    presence = words_present(scenes)
    activations = plant(plan_units(presence, seed=unit_seed), presence, seed=unit_seed)
    codes = torch.cat([picture_codes(normalised(scene.pixels[None])) for scene in scenes])
    return PlantedNetwork(codes, activations)
