"""The defaults of every method are those of its paper or package: another number is another method."""

from __future__ import annotations

import dataclasses

import pytest

from lumiscope.attribution import METHODS

# lime 0.2.0.1: quickshift, segments hidden by their mean colour, 1,000 samples; ten features as in its tutorial.
REGIONS = {
    "segmenter": "quickshift",
    "segmenter_options": {},
    "hide": "mean",
    "hide_color": None,
    "num_features": 10,
    "min_weight": 0.0,
    "positive_only": True,
    "random_seed": None,
    "num_samples": 1000,
}
DEFAULTS = {
    "ablationcam": {"flips": False, "denominator": "magnitude"},
    # Zhang et al. 2025: the three most similar classes, with their full weight.
    "finercam": {"flips": False, "alpha": 1.0, "comparisons": 3},
    "gaussian": {"sigma": 0.25},
    # captum's number of nodes.
    "integrated_gradients": {"flips": False, "steps": 50, "baseline": "zero"},
    "kernelshap": {**REGIONS, "sampling": "leverage", "paired": True},
    "lime": {**REGIONS, "max_samples": 5000, "design": "bernoulli", "confidence": 0.95, "top_labels": 1},
    "occlusion": {"window": None, "stride": None, "hide_color": 128},
    "random": {"random_seed": None},
    # Petsiuk et al. 2018 with VGG: 4,000 masks; the 8 cells a side of their code.
    "rise": {"num_masks": 4000, "cells": 8, "keep_probability": 0.5, "hide_color": 128, "random_seed": None},
    # Smilkov et al. 2017: 50 samples, noise of 10 to 20 % of the picture's range.
    "smoothgrad": {"flips": False, "num_samples": 50, "noise": 0.15, "random_seed": None},
}


@pytest.mark.parametrize("name", METHODS)
def test_the_defaults(name):
    options = METHODS[name].options_type()
    assert dataclasses.asdict(options) == DEFAULTS.get(name, {"flips": False})
