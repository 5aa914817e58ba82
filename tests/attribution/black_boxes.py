"""Pictures and models without torch, of which it is known what LIME must find."""

from __future__ import annotations

import itertools

import numpy as np

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.images import Geometry


def lime_options(**given):
    return METHODS["lime"].options(given)


def explain_by_lime(prepared, wanted="predicted", **given):
    targets = prepared.targets(wanted, [None] * len(prepared))
    return METHODS["lime"].explain(prepared, targets, lime_options(**given))


class RedOrGreen:
    """A classifier without torch: class 1 likes red in the upper left quarter, class 2 green in the lower right."""

    name, spec, fingerprint = "box", "callable", "0" * 64
    classes = ("none", "red", "green")
    geometry = Geometry((96, 96), mode="squash")
    activation = "softmax"

    def view(self, item):
        return self.geometry.view(item.pixels, item.id)

    def predict(self, views):
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        scaled = (pixels.astype(np.float64) / 255) ** 2
        red, green = scaled[:, :48, :48, 0].mean((1, 2)), scaled[:, 48:, 48:, 1].mean((1, 2))
        return np.stack([np.full(len(pixels), 0.5), 4 * red, 3 * green], axis=1).astype(np.float32)


def squares(size=96, cell=24):
    """16 squares, each in a colour of its own, with a fine chequered pattern."""
    pixels = np.zeros((size, size, 3), np.uint8)
    for number, (row, column) in enumerate(itertools.product(range(size // cell), repeat=2)):
        colour = (40 + 12 * number, 220 - 12 * number, (97 * number) % 220)
        pixels[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = colour
    pixels[::2, ::2] += 30
    return pixels


def boxed(pixels, item_id="squares", seed=0):
    model = RedOrGreen()
    return PreparedBatch(model, [model.geometry.view(pixels, item_id)], seed=seed)


class LinearBox:
    """Probability of class 0: 0.3 and a share for every bright square of a 4 by 4 grid."""

    name, spec, fingerprint, classes, activation = "linear", "callable", "1" * 64, ("a", "b"), "none"
    geometry = Geometry((32, 32), mode="squash")

    def __init__(self, brings):
        self.brings = brings

    def predict(self, views):
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        lit = pixels.reshape(-1, 4, 8, 4, 8, 3).mean((2, 4, 5)).reshape(-1, 16) > 100
        first = 0.3 + lit @ self.brings
        return np.stack([first, 1 - first], axis=1).astype(np.float32)
