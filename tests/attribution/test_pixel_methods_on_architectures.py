"""Gradient and perturbation methods on every kind of network, against their slow float64 references."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS
from lumiscope.attribution.methods.rise import SmoothMasks
from lumiscope.attribution.methods.smoothgrad import gaussian_noise
from lumiscope.attribution.regions._segmentation import segment_means

spec = importlib.util.spec_from_file_location("kinds", Path(__file__).with_name("kinds.py"))
architectures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(architectures)

SEED, SAMPLES, MASKS = 7, 12, 6
GRID = {"segmenter": "grid", "segmenter_options": {"rows": 2, "columns": 2}}
OPTIONS = {
    "integrated_gradients": {"steps": 3},
    "smoothgrad": {"num_samples": 3, "random_seed": SEED},
    "guided_backprop": {},
    "occlusion": {"window": 12, "stride": 9},
    "rise": {"num_masks": MASKS, "cells": 2, "random_seed": SEED},
    "kernelshap": GRID,
    "lime": {**GRID, "num_samples": SAMPLES, "random_seed": SEED},
}


class Slow:
    """The first picture of a batch and a model in float64, as the references ask for them."""

    def __init__(self, model, prepared, target, references):
        self.network = architectures.in_float64(model)
        self.activation, self.target, self.references = model.activation, target.index, references
        self.pixels = prepared.views[0].pixels
        self.mean, self.std = (
            torch.tensor(part, dtype=torch.float64).view(3, 1, 1) for part in (model.mean, model.std)
        )
        self.image = self.input_of(self.pixels)

    def input_of(self, pixels):
        stored = torch.from_numpy(np.asarray(pixels, np.float64)).permute(2, 0, 1)
        return (stored / 255 - self.mean) / self.std

    def scores(self, image):
        with torch.no_grad():
            return self.network(image[None])[0]

    def probability(self, image):
        scores = self.scores(image)
        return float((scores.softmax(0) if self.activation == "softmax" else scores.sigmoid())[self.target])

    def integrated_gradients(self):
        return self.references["integrated_gradients"](self.network, self.image, None, self.target, steps=3)[0]

    def smoothgrad(self):
        width = 0.15 * float(self.image.max() - self.image.min())
        copies = [torch.from_numpy(gaussian_noise(SEED, copy, self.image.shape)).double() for copy in range(3)]
        noise = [width * copy for copy in copies]
        return self.references["smoothgrad"](self.network, self.image, None, self.target, noise)[0]

    def guided_backprop(self):
        return self.references["guided_backprop"](self.network, self.image, None, self.target)[0]

    def occlusion(self):
        def score(pixels):
            return float(self.scores(self.input_of(pixels))[self.target])

        return self.references["occlusion"](score, self.pixels, np.full_like(self.pixels, 128), 12, 9)

    def rise(self):
        size = self.pixels.shape[:2]
        drawn = SmoothMasks.draw(SEED, size, METHODS["rise"].options(OPTIONS["rise"]))
        grey = self.input_of(np.full_like(self.pixels, 128))

        def probability(mask):
            shown = torch.from_numpy(mask)
            return self.probability(shown * self.image + (1 - shown) * grey)

        return self.references["rise"](probability, drawn.grids, drawn.shifts, size, 0.5)[0]

    @property
    def segments(self):
        height, width = self.pixels.shape[:2]
        return (np.arange(height) * 2 // height)[:, None] * 2 + np.arange(width) * 2 // width

    def kernelshap(self):
        hidden = segment_means(self.pixels, self.segments)

        def worth(members):
            shown = np.isin(self.segments, members)[..., None]
            return self.probability(self.input_of(np.where(shown, self.pixels, hidden)))

        return self.references["kernelshap"](worth, 4)[self.segments]

    def lime(self):
        def probabilities(pixels):
            return {self.target: self.probability(self.input_of(pixels))}

        result = self.references["lime"](
            probabilities, self.pixels, self.segments, SEED, SAMPLES, 10, None, self.target
        )
        return result[0][self.segments]


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(architectures.KINDS))
@pytest.mark.parametrize("method", sorted(OPTIONS))
def test_values_equal_the_slow_reference(model_of, prepare, reference, kind, method):
    model, chosen = model_of(kind), METHODS[method]
    prepared = prepare(model, count=1)
    (target,) = targets = prepared.targets("predicted", [None])
    (saliency,) = chosen.explain(prepared, targets, chosen.options(OPTIONS[method]))
    expected = getattr(Slow(model, prepared, target, reference.REFERENCES), method)()
    np.testing.assert_allclose(saliency.values, expected, atol=1e-3 * np.abs(expected).max() + 1e-6, rtol=0)
