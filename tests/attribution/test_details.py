"""What maps say of themselves: joined where maps are, and warnings in one form from every method."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS
from lumiscope.attribution._details import joined_details
from lumiscope.types import SaliencyMap, Target

WARNED = ("fullgrad", "guided_backprop", "integrated_gradients", "kernelshap", "lime")  # of few samples, no ReLU
FEW = {
    "rise": {"num_masks": 8, "cells": 3},
    "lime": {"num_samples": 10},
    "kernelshap": {"num_samples": 10},
    "occlusion": {"window": 16},
    "smoothgrad": {"num_samples": 2},
    "integrated_gradients": {"steps": 1},
}


def test_the_last_one_wins_but_every_warning_stays_once():
    parts = [{"a": 1, "warnings": ["x", "y"]}, {"b": 2, "a": 3}, {"warnings": ["z", "x"]}]
    assert joined_details(parts) == {"a": 3, "b": 2, "warnings": ["x", "y", "z"]}
    assert joined_details([{"a": 1}, {}]) == {"a": 1}
    assert joined_details(iter(())) == {}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_warnings_are_a_list_of_sentences(networks, torch_model, prepare, method):
    """On a network without ReLU, with as few samples as there may be, those that can warn do."""
    model = torch_model(networks.seeded(networks.Patches), (32, 32))
    chosen = METHODS[method]
    layer = model.target_layer if chosen.needs_layer else None
    prepared = prepare(model, layer, count=1)
    (saliency,) = chosen.explain(prepared, prepared.targets(1, [None]), chosen.options(FEW.get(method)))
    assert "warning" not in saliency.details
    said = saliency.details.get("warnings", [])
    assert isinstance(said, list)
    assert all(isinstance(warning, str) for warning in said)
    assert saliency.warnings == tuple(said)
    assert bool(said) == (method in WARNED)


def test_flips_keep_the_warnings_of_both(networks, torch_model, prepare):
    prepared = prepare(torch_model(networks.seeded(networks.Patches), (32, 32)), count=1)
    method = METHODS["fullgrad"]
    targets = prepared.targets(1, [None])
    saliency, mirrored = (
        method.explain(batch, targets, method.options())[0] for batch in (prepared, prepared.mirrored())
    )
    (both,) = method.explain(prepared, targets, method.options({"flips": True}))
    assert list(both.warnings) == list(dict.fromkeys((*mirrored.warnings, *saliency.warnings)))
    assert len(both.warnings) == len({*mirrored.warnings, *saliency.warnings}) > 0


def test_a_map_has_no_warnings_unless_it_says_so():
    target = Target(0, "a", 1.0, 0.5)
    assert SaliencyMap("x", "gradcam", target, np.zeros((2, 2), np.float32)).warnings == ()


@pytest.mark.parametrize("method", ["occlusion", "saliency", "input_x_gradient", "guided_backprop", "rise"])
def test_a_map_without_a_positive_pixel_says_that_it_is_blank(networks, torch_model, prepare, method):
    """The logits are always 0, so that nothing in the picture speaks for a class."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[6].weight.zero_()
        module[6].bias.zero_()
    prepared = prepare(torch_model(module, (32, 32)), count=1)
    chosen = METHODS[method]
    (saliency,) = chosen.explain(prepared, prepared.targets(0, [None]), chosen.options(FEW.get(method)))
    blank = not saliency.display().any()
    assert blank == (method != "rise")  # whose map of a constant score is the mean of its few masks
    assert saliency.details.get("blank") == ("no pixel speaks for the class" if blank else None)
    assert saliency.remarks[:1] == (("blank: no pixel speaks for the class",) if blank else ())
