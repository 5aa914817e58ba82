"""Probabilities in other forms than as they are: negated, as logarithms, as logits and others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.images import Geometry
from lumiscope.models import BlackBox, TorchModel, probabilities
from lumiscope.models._several_labels import ASSUMED

SIZE = (24, 32)
PIXELS = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
CUT = "it ends in a {0}: its scores are {1}, and methods explain what the {0} is given"
FORMS = {
    "negated {}": (lambda p: -p, "negated probabilities"),
    "negated {} in percent": (lambda p: -100 * p, "negated probabilities"),
    "{} taken from 1": (lambda p: 1 - p, "probabilities taken from 1"),
    "{} stretched to [-1, 1]": (lambda p: 2 * p - 1, "probabilities stretched to [-1, 1]"),
    "log {}": (lambda p: p.log(), "logarithms of probabilities"),
    "negated log {}": (lambda p: -p.log(), "negated logarithms of probabilities"),
    "negated log {} to the base 2": (lambda p: -p.log2(), "negated logarithms of probabilities to the base 2"),
    "reciprocal {}": (lambda p: 1 / p, "reciprocals of probabilities"),
    "logit of a {}": (lambda p: p.logit(), "logits of probabilities"),
    "negated logit of a {}": (lambda p: -(p / (1 - p)).log(), "negated logits of probabilities"),
    "ratio p / (1 - p) of a {}": (lambda p: p / (1 - p), "ratios p / (1 - p)"),
}
EITHER_WAY = ("{} taken from 1", "negated logit of a {}")  # of a sigmoid of z: those of -z as they are


class Net(nn.Module):
    """`end` of the logits of two linear layers on pooled maps."""

    def __init__(self, end, count=5, sharp=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.fc, self.other = nn.Linear(8, count), nn.Linear(8, count)
        self.end, self.sharp = end, sharp

    def logits(self, inputs, layer=None):
        return self.sharp * (layer or self.fc)(self.maps(inputs).mean((2, 3)))

    def forward(self, inputs):
        return self.end(self.logits(inputs), self.logits(inputs, self.other))


def read(end, count=5, sharp=1.0, **given):
    geometry = Geometry(SIZE, mode="squash")
    return TorchModel(Net(end, count, sharp).eval(), geometry, mean=(0.5,) * 3, std=(0.25,) * 3, **given)


def logits_of(model):
    with torch.no_grad():
        return model.module.logits(model.inputs(PIXELS)).numpy()


def outputs_of(model):
    with torch.no_grad():
        return model.module(model.inputs(PIXELS)).numpy()


def mean_of_two(z, other):
    return (z.softmax(1) + other.softmax(1)) / 2


def note_of(form, activation):
    step = form.partition(" in percent")[0].partition(" to the base")[0].format(activation)
    return CUT.format(step, FORMS[form][1])


@pytest.mark.parametrize("sharp", [1.0, 100.0])
@pytest.mark.parametrize("form", FORMS)
def test_a_softmax_in_any_form_is_explained_before_it(form, sharp) -> None:
    """Saturated scores may be infinite, or rows of length 1, as an embedding's."""
    model = read(lambda z, _: FORMS[form][0](z.softmax(1)), sharp=sharp)
    assert (model.activation, model.notes) == ("softmax", (note_of(form, "softmax"),))
    np.testing.assert_allclose(model.predict(PIXELS), logits_of(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("form", [form for form in FORMS if form not in EITHER_WAY])
def test_a_sigmoid_in_any_form_is_explained_before_it(form, count) -> None:
    model = read(lambda z, _: FORMS[form][0](z.sigmoid()), count)
    assert (model.activation, model.notes) == ("sigmoid", (note_of(form, "sigmoid"),))
    logits = logits_of(model)
    logits = np.hstack([-logits, logits]) if count == 1 else logits
    np.testing.assert_allclose(model.predict(PIXELS), logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "end",
    [
        lambda z, _: -functional.log_softmax(z, 1),
        lambda z, _: -functional.logsigmoid(z),
        lambda z, _: torch.logit(z.softmax(1), 1e-6),
    ],
    ids=["log softmax", "log sigmoid", "bounded logit"],
)
def test_functions_of_torch_that_make_other_forms(end) -> None:
    model = read(end)
    np.testing.assert_allclose(model.predict(PIXELS), logits_of(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_probabilities_in_any_form_are_undone_where_no_step_makes_them(form) -> None:
    write, written = FORMS[form]
    expected = outputs_of(read(mean_of_two))
    model = read(lambda z, other: write(mean_of_two(z, other)))
    np.testing.assert_allclose(probabilities(model.predict(PIXELS), model.activation), expected, atol=1e-6)
    split, inputs = model.split("maps.1"), model.inputs(PIXELS)
    torch.testing.assert_close(split.head(split.trunk(inputs)), model.logits(inputs))
    noted = "".join(model.notes)
    assert form == "log {}" or written in noted or "its scores add up to -1" in noted


@pytest.mark.parametrize("form", FORMS)
def test_a_black_box_of_probabilities_in_any_form(form) -> None:
    def shares(pixels):
        sums = torch.from_numpy(pixels.reshape(len(pixels), 4, -1).sum(2, dtype=np.float64))
        return sums / sums.sum(1, keepdim=True)

    box = BlackBox(lambda pixels: FORMS[form][0](shares(pixels)), Geometry(SIZE), batch_size=2)
    np.testing.assert_allclose(probabilities(box.predict(PIXELS), box.activation), shares(PIXELS), atol=1e-6)


def test_what_is_said_of_probabilities_in_another_form_is_heeded() -> None:
    taken_from_1 = read(lambda z, _: 1 - z.softmax(1), activation="none")
    np.testing.assert_allclose(taken_from_1.predict(PIXELS), outputs_of(taken_from_1), atol=1e-6)
    negated = read(lambda z, other: -mean_of_two(z, other), activation="softmax")
    assert (negated.activation, negated.notes) == ("softmax", ())
    np.testing.assert_allclose(negated.predict(PIXELS), outputs_of(negated), atol=1e-6)


def test_negated_means_of_sigmoids_are_asked_about() -> None:
    """They may be negative distances as well."""
    model = read(lambda z, other: -(z.sigmoid() + other.sigmoid()) / 2)
    assert model.notes == (
        ASSUMED,
        "its scores lie in [-1, 0]: if they are negated probabilities, let the network return them without the minus",
    )


def test_two_logits_of_which_one_is_the_negative_of_the_other_are_logits_of_a_softmax() -> None:
    model = read(lambda z, _: torch.cat([-z, z], 1), 1)
    assert (model.activation, model.notes) == ("softmax", (ASSUMED,))


@pytest.mark.parametrize("offset", np.linspace(-2, 2, 9))
def test_logits_that_hardly_differ_between_pictures_are_no_probabilities(offset) -> None:
    """Of three numbers near -log 2 the sigmoids add up to 1 nearly."""
    model = read(lambda z, _: -np.log(2) + 1e-3 * offset + 1e-4 * z, 3)
    assert (model.activation, model.notes[0]) == ("softmax", ASSUMED)
