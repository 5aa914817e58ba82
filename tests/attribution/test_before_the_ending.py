"""A network that ends in a softmax or sigmoid has the maps of the same network without it, by every method."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.attribution import METHODS, PreparedBatch

SIZE = (40, 48)
SHARP = 40.0  # logits that far apart: the probability is 1 in float32, and its gradient 0


class Ended(nn.Module):
    """Two convolutions, a linear layer, and what `end` makes of the logits."""

    def __init__(self, end, classes=4, tail=None):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes), *(tail or []))
        self.end = end

    def forward(self, inputs):
        return self.end(self.head(self.maps(inputs)))


def as_it_is(logits):
    return logits


SOFTMAX = {
    "function": (lambda logits: functional.softmax(logits, 1), []),
    "method": (lambda logits: logits.softmax(-1), []),
    "module in a row of parts": (as_it_is, [nn.Softmax(1)]),
    "columns": (lambda logits: torch.softmax(logits.t(), 0).t(), []),
    "clamped": (lambda logits: logits.softmax(1).clamp(1e-7, 1), []),
    "exponential of a log": (lambda logits: functional.log_softmax(logits, dim=1).exp(), []),
    "detached": (lambda logits: logits.softmax(1).detach(), []),
    "log": (lambda logits: logits.log_softmax(1), []),
    "module of a log": (as_it_is, [nn.LogSoftmax(1)]),
    "double": (lambda logits: logits.double().softmax(1).float(), []),
}
SIGMOID = {
    "method": (lambda logits: logits.sigmoid(), []),
    "module in a row of parts": (as_it_is, [nn.Sigmoid()]),
    "in place": (lambda logits: logits.sigmoid_(), []),
}


def model_of(networks, torch_model, end, tail, **options):
    module = networks.seeded(lambda: Ended(end, tail=tail))
    with torch.no_grad():
        module.head[2].weight *= SHARP
    return torch_model(module, SIZE, **options)


def same_maps(plain, ended, prepare, cheap_options, methods=METHODS, split="graph"):
    """Both explain class 1: the same maps within float rounding."""
    assert ended.reference.split("maps.3").kind == split
    views = prepare(plain, count=2).views
    for name in methods:
        method = METHODS[name]
        layer = "maps.3" if method.needs_layer else None
        maps = []
        for model in (plain, ended):
            prepared = PreparedBatch(model, views, layer=layer)
            maps.append(method.explain(prepared, prepared.targets(1, [None] * 2), cheap_options(name)))
        for expected, came in zip(*maps, strict=True):
            assert came.target.logit == pytest.approx(expected.target.logit, rel=1e-5)
            assert came.target.probability == pytest.approx(expected.target.probability, rel=1e-4, abs=1e-12)
            scale = np.abs(expected.values).max()
            np.testing.assert_allclose(came.values, expected.values, rtol=1e-4, atol=1e-4 * scale, err_msg=name)
            if method.looks_inside:
                assert scale > 0, name
            assert came.remarks == expected.remarks


@pytest.mark.parametrize("end", SOFTMAX)
def test_of_a_softmax(networks, torch_model, prepare, cheap_options, end):
    plain = model_of(networks, torch_model, as_it_is, [])
    ended = model_of(networks, torch_model, *SOFTMAX[end])
    assert ended.activation == "softmax"
    assert len(ended.notes) == 1
    methods = METHODS if end == "method" else [name for name, method in METHODS.items() if method.looks_inside]
    same_maps(plain, ended, prepare, cheap_options, methods)


@pytest.mark.parametrize("end", SIGMOID)
def test_of_a_sigmoid(networks, torch_model, prepare, cheap_options, end):
    plain = model_of(networks, torch_model, as_it_is, [], activation="sigmoid")
    ended = model_of(networks, torch_model, *SIGMOID[end])
    assert ended.activation == "sigmoid"
    same_maps(plain, ended, prepare, cheap_options, split="rerun" if end == "in place" else "graph")


def test_every_backend_runs_it_without_its_ending(networks, torch_model, prepare):
    plain = model_of(networks, torch_model, as_it_is, [])
    ended = model_of(networks, torch_model, *SOFTMAX["function"])
    inputs = plain.inputs(prepare(plain).views)
    expected = plain.logits(inputs)
    for backend in ("openvino", "onnxruntime", "torch"):
        choice = ended.choose_backend(backend)
        assert choice.backend == backend, choice.why
        came = ended.session(choice).logits(inputs)
        torch.testing.assert_close(came, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


SATURATED = (
    "the probability of the class is saturated at 1: its changes are lost in rounding, which does not mean that no "
    "pixel matters. Explain logits: give the network without the softmax or sigmoid in which it ends"
)


def twice(logits):
    """The mean of two softmaxes, which is none: nothing can be taken off."""
    return (logits.softmax(1) + (2 * logits).softmax(1)) / 2


FOLLOWING = [name for name, method in METHODS.items() if method.follows_score] + ["ablationcam", "scorecam"]


@pytest.mark.parametrize("method", FOLLOWING)
def test_a_probability_that_stays_saturated_is_said_to_be_so(networks, torch_model, prepare, cheap_options, method):
    """Class 1 is certain whatever is seen: its logit is 100 above the others."""
    module = networks.seeded(lambda: Ended(twice))
    with torch.no_grad():
        module.head[2].bias[1] += 100
    model = torch_model(module, SIZE)
    assert model.activation == "none"
    layer = "maps.3" if METHODS[method].needs_layer else None
    prepared = prepare(model, layer, count=1)
    targets = prepared.targets("predicted", [None])
    (saliency,) = METHODS[method].explain(prepared, targets, cheap_options(method))
    assert (saliency.target.index, saliency.target.probability) == (1, 1)
    said = [remark.removeprefix("blank: ") for remark in saliency.remarks]
    assert SATURATED in said
    assert not [remark for remark in said if "nothing to explain" in remark or "no difference" in remark]
    assert not [remark for remark in said if "speaks for" in remark or "counts the same" in remark]
    assert ("blank" in saliency.details) == (not saliency.display().any())


@pytest.mark.parametrize("method", ["lime", "kernelshap", "rise"])
def test_so_is_a_certain_softmax_that_hiding_never_changes(networks, torch_model, prepare, cheap_options, method):
    module = networks.seeded(lambda: Ended(as_it_is))
    with torch.no_grad():
        module.head[2].bias[1] += 1000  # in float64, too
    prepared = prepare(torch_model(module, SIZE), count=1)
    (saliency,) = METHODS[method].explain(prepared, prepared.targets(1, [None]), cheap_options(method))
    assert SATURATED in [remark.removeprefix("blank: ") for remark in saliency.remarks]


@pytest.mark.parametrize("method", ["lime", "kernelshap", "rise"])
def test_a_probability_near_1_that_hiding_changes_is_not_said_to_be_saturated(torch_model, prepare, method):
    class Bright(nn.Module):
        """Certain of class 0 where it is bright at the left, of class 1 elsewhere; nothing can be taken off."""

        def forward(self, inputs):
            yes = (50 * inputs[..., :12].mean((1, 2, 3))).clamp(0, 1)
            return torch.stack([yes, 1 - yes], 1)

    model = torch_model(Bright(), SIZE)
    assert model.activation == "none"
    pixels = np.random.default_rng(0).integers(150, 256, (*SIZE, 3), dtype=np.uint8)
    options = METHODS[method].options({"hide_color": 0})
    prepared = PreparedBatch(model, [model.geometry.view(pixels, "bright")])
    (saliency,) = METHODS[method].explain(prepared, prepared.targets(0, [None]), options)
    assert saliency.target.probability == 1
    assert saliency.display().any()
    assert not [remark for remark in saliency.remarks if "saturated" in remark]


@pytest.mark.parametrize("method", ["occlusion", "ablationcam", "scorecam"])
def test_a_class_that_stays_impossible_is_said_to_be_so(networks, torch_model, prepare, cheap_options, method):
    """Class 2 has e^-40 of class 1, whatever is seen: the map is of such numbers."""
    module = networks.seeded(lambda: Ended(twice))
    with torch.no_grad():
        module.head[2].bias[1] += 40
    model = torch_model(module, SIZE)
    prepared = prepare(model, "maps.3" if METHODS[method].needs_layer else None, count=1)
    (saliency,) = METHODS[method].explain(prepared, prepared.targets(2, [None]), cheap_options(method))
    assert 0 < saliency.target.probability < 1e-15
    said = [remark.removeprefix("blank: ") for remark in saliency.remarks]
    assert [remark for remark in said if remark.startswith("the probability of the class is saturated at")]


@pytest.mark.parametrize("method", ["occlusion", "ablationcam", "scorecam"])
def test_a_probability_that_changes_is_not_said_to_be_saturated(networks, torch_model, prepare, cheap_options, method):
    model = torch_model(networks.seeded(lambda: Ended(twice)), SIZE)
    prepared = prepare(model, "maps.3" if METHODS[method].needs_layer else None, count=1)
    (saliency,) = METHODS[method].explain(prepared, prepared.targets(2, [None]), cheap_options(method))
    assert not saliency.remarks
