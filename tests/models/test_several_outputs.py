"""Which of several outputs are the scores where no class names and no names of outputs tell."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.errors import ModelError
from lumiscope.images import Geometry
from lumiscope.models import BlackBox, TorchModel
from lumiscope.models._several_labels import ASSUMED

SIZE = (24, 32)
PIXELS = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
Named = namedtuple("Named", "embedded scores")


@dataclass
class Slotted:
    __slots__ = ("embedded", "scores")
    embedded: torch.Tensor
    scores: torch.Tensor


class Net(nn.Module):
    """What `end` makes of maps, features f (8), logits z (5) of them, a projection p (7) and itself.

    No part has a name that tells anything, unless `named`.
    """

    def __init__(self, end, named: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.b, self.c = nn.Linear(8, 5), nn.Linear(8, 7)
        if named:
            self.fc = self.b
            del self.b
        self.end = end

    def forward(self, inputs):
        maps = self.a(inputs)
        f = maps.mean((2, 3))
        return self.end(self, f, (self.fc if hasattr(self, "fc") else self.b)(f), self.c(f))


def read(end, *, named=False, **given):
    net = Net(end, named).eval()
    return TorchModel(net, Geometry(SIZE, mode="squash"), mean=(0.5,) * 3, std=(0.25,) * 3, **given)


@torch.no_grad()
def logits(model):
    net = model.module
    return (net.fc if hasattr(net, "fc") else net.b)(net.a(model.inputs(PIXELS)).mean((2, 3))).numpy()


BY_VALUES_AND_OPERATIONS = {
    "label of another type": lambda net, f, z, p: (z.argmax(1).float(), z),
    "column of labels": lambda net, f, z, p: (z.argmax(1, keepdim=True).double(), z),
    "label as a row of 0 and 1": lambda net, f, z, p: (functional.one_hot(z.argmax(1), 5).float(), z),
    "confidence": lambda net, f, z, p: (z.softmax(1).amax(1), z),
    "confidence after": lambda net, f, z, p: (z, z.softmax(1).amax(1)),
    "energy": lambda net, f, z, p: (z.logsumexp(1, keepdim=True), z),
    "the best three": lambda net, f, z, p: (z.topk(3, 1).values, z),
    "uncertainty of features": lambda net, f, z, p: (f.var(1), z),
    "normalised projection": lambda net, f, z, p: (functional.normalize(p), z),
    "detached features": lambda net, f, z, p: (f.detach(), z),
    "copied features": lambda net, f, z, p: (f.detach().clone(), z),
    "features of another type": lambda net, f, z, p: [f.detach().half(), [z]],
    "features on another scale": lambda net, f, z, p: (f * 2, z),
    "all without gradients": lambda net, f, z, p: {"one": f.detach(), "two": z.detach()},
}


@pytest.mark.parametrize("case", BY_VALUES_AND_OPERATIONS)
def test_scores_are_told_by_values_and_operations(case) -> None:
    model = read(BY_VALUES_AND_OPERATIONS[case])
    assert model.notes[0].startswith("it has several outputs (")
    assert model.notes[1:] == (ASSUMED,)
    np.testing.assert_allclose(model.predict(PIXELS), logits(model), rtol=1e-4, atol=1e-5)


BY_NAMES = {
    "a part called fc": (lambda net, f, z, p: (p, z), "1"),
    "after it": (lambda net, f, z, p: (z, p), "0"),
    "mean and variance before": (lambda net, f, z, p: (p, p.exp(), z), "2"),
    "named tuple": (lambda net, f, z, p: Named(p, z), "scores"),
    "dataclass with slots": (lambda net, f, z, p: Slotted(p, z), "scores"),
}


@pytest.mark.parametrize("case", BY_NAMES)
def test_scores_are_told_by_names(case) -> None:
    end, chosen = BY_NAMES[case]
    model = read(end, named="tuple" not in case and "data" not in case)
    assert f": {chosen} is taken for the scores" in model.notes[0]
    np.testing.assert_allclose(model.predict(PIXELS), logits(model), rtol=1e-4, atol=1e-5)


def test_scores_are_told_by_the_number_of_classes_that_the_network_says() -> None:
    def end(net, f, z, p):
        return p, z

    net = Net(end).eval()
    net.num_classes = 5
    model = TorchModel(net, Geometry(SIZE, mode="squash"), mean=(0.5,) * 3, std=(0.25,) * 3)
    assert ": 1 is taken for the scores" in model.notes[0]


@pytest.mark.parametrize(
    ("end", "listed"),
    [
        (lambda net, f, z, p: (p, z), r"0 \(7 numbers\), 1 \(5 numbers\) may be"),
        (lambda net, f, z, p: {"age": z[:, :2], "sex": z[:, 2:4]}, r"age \(2 numbers\), sex \(2 numbers\) may be"),
        (lambda net, f, z, p: [z[:, i] for i in range(3)], r"0 \(1 number\), 1 \(1 number\), 2 \(1 number\) may be"),
    ],
    ids=["two linear layers", "two tasks", "one number a class"],
)
def test_what_cannot_be_told_is_asked(end, listed) -> None:
    with pytest.raises(ModelError, match=f"{listed}.*Say which is meant by --output NAME, or give the class names"):
        read(end)


def test_of_equally_many_by_place_the_first_is_taken() -> None:
    model = read(lambda net, f, z, p: (z, net.b(f + 1)))
    assert "(0, 1): 0 is taken for the scores" in model.notes[0]
    np.testing.assert_allclose(model.predict(PIXELS), logits(model), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("labels", [(0.0, 0.0), (1.0, 0.0), (3.0, 3.0)])
def test_a_label_alone_is_no_score_in_whatever_type(labels) -> None:
    said = r"the tensor \(a label\): whole numbers are labels, never scores\. If .* saturated probabilities, say"
    with pytest.raises(ModelError, match=said):
        read(lambda net, f, z, p: torch.tensor(labels)[: len(z)])
    with pytest.raises(ModelError, match=r"got one whole number a picture: whole numbers are labels"):
        BlackBox(lambda pixels: np.resize(labels, len(pixels)), Geometry(SIZE))
    with pytest.raises(ModelError, match=r"each of 4 class names; its outputs are 0 \(a label\), 1 \(5 numbers\)"):
        read(lambda net, f, z, p: (z.argmax(1).float(), z), classes=tuple("abcd"))


def test_a_saturated_probability_is_no_label() -> None:
    model = read(lambda net, f, z, p: (1e6 * z[:, :1]).sigmoid())
    with torch.no_grad():
        assert set(model.module(model.inputs(PIXELS)).unique().tolist()) <= {0.0, 1.0}
    assert model.activation == "sigmoid"
    box = BlackBox(lambda pixels: np.ones(len(pixels)), Geometry(SIZE), activation="none")
    np.testing.assert_array_equal(box.predict(PIXELS), [[0, 1]] * 3)


def test_a_black_box_of_which_it_cannot_be_told() -> None:
    def answer(pixels):
        means = pixels.mean((1, 2))
        return {"a": means[:, :2], "b": means, "label": means.argmax(1).astype(float)}

    with pytest.raises(ModelError, match=r"a \(2 numbers\), b \(3 numbers\) may be\. .*label \(a label\)"):
        BlackBox(answer, Geometry(SIZE))
    assert len(BlackBox(answer, Geometry(SIZE), output="b").classes) == 3
    assert len(BlackBox(answer, Geometry(SIZE), classes=("x", "y")).classes) == 2  # not the label as no and yes


@pytest.mark.parametrize("squash", ["softmax", "sigmoid"])
def test_a_black_box_that_gives_its_confidence_beside_its_logits(squash) -> None:
    def logits(pixels):
        return torch.from_numpy(pixels.mean((1, 2)) / 64 - 2).float()

    def answer(pixels):
        z = logits(pixels)
        return getattr(z, squash)(*[1] * (squash == "softmax")).amax(1).numpy(), z.numpy()

    box = BlackBox(answer, Geometry(SIZE))
    assert "(0, 1): 1 is taken for the scores" in box.notes[0]
    np.testing.assert_array_equal(box.predict(PIXELS), logits(PIXELS).numpy())
