"""How the scores of a network are read: which output, whether they are probabilities, and whose they are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.images import Geometry
from lumiscope.models import BlackBox, TorchModel, probabilities
from lumiscope.models._several_labels import ASSUMED

SIZE = (24, 32)
PIXELS = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
CUT = "it ends in a {}: its scores are probabilities, and methods explain what the {} is given"
SHARES = "its scores add up to 1 and are taken for probabilities; logits: --activation softmax or sigmoid"
CHANCES = (
    "its scores lie in [0, 1] and are taken for probabilities, each class yes or no; logits: --activation softmax or "
    "sigmoid"
)


class Net(nn.Module):
    """Pooled maps `pooled`, two linear layers on them, and what `end(net, inputs)` makes of these."""

    def __init__(self, end, count=5):
        super().__init__()
        self.maps = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.one, self.two = nn.Linear(8, count), nn.Linear(8, count)
        self.end = end

    def pooled(self, inputs):
        return self.maps(inputs).mean((2, 3))

    def z(self, inputs):
        return self.one(self.pooled(inputs))

    def forward(self, inputs):
        return self.end(self, inputs)


def model_of(module, **given):
    return TorchModel(module.eval(), Geometry(SIZE, mode="squash"), mean=(0.5,) * 3, std=(0.25,) * 3, **given)


def read(networks, end, count=5, sharp=1.0, **given):
    module = networks.seeded(lambda: Net(end, count))
    with torch.no_grad():
        for part in (module.one, module.two):
            part.weight *= sharp
    return model_of(module, **given)


def own(model):
    """What the network itself says of the pictures."""
    with torch.no_grad():
        return model.module(model.inputs(PIXELS)).double().numpy()


PROBABILITIES = {
    "mean of two": lambda net, x: (net.z(x).softmax(1) + net.two(net.pooled(x)).softmax(1)) / 2,
    "smoothed": lambda net, x: 0.9 * net.z(x).softmax(1) + 0.02,
    "by hand": lambda net, x: net.z(x).exp() / net.z(x).exp().sum(1, keepdim=True),
    "normalised": lambda net, x: functional.normalize(net.z(x).exp(), p=1, dim=1),
    "both sides": lambda net, x: (net.z(x).softmax(1) + net.z(x.flip(-1)).softmax(1)) / 2,
    "sparse": lambda net, x: functional.one_hot(net.z(x).argmax(1), 5).float(),
}


@pytest.mark.parametrize("sharp", [1.0, 100.0])
@pytest.mark.parametrize("end", PROBABILITIES)
def test_probabilities_are_not_squashed_again(networks, end, sharp) -> None:
    model = read(networks, PROBABILITIES[end], sharp=sharp)
    assert (model.activation, model.notes) == ("none", (SHARES,))
    np.testing.assert_allclose(probabilities(model.predict(PIXELS), model.activation), own(model), atol=1e-6)


@pytest.mark.parametrize("sharp", [1.0, 100.0])
def test_a_saturated_mean_of_two_softmaxes_is_not_taken_for_one_of_them(networks, sharp) -> None:
    """Where both are sure of the same class, the mean equals either in value."""
    model = read(networks, lambda net, x: (net.z(x).softmax(1) + (2 * net.z(x)).softmax(1)) / 2, sharp=sharp)
    assert (model.activation, model.notes) == ("none", (SHARES,))


PERCENT = (
    "its scores add up to 100 and are taken for probabilities, divided by that; logits: --activation softmax or sigmoid"
)
PERCENTAGES = {
    "softmax": (lambda net, x: 100 * net.z(x).softmax(1), "softmax", CUT.format("softmax", "softmax")),
    "sigmoid": (lambda net, x: 100 * net.z(x).sigmoid(), "sigmoid", CUT.format("sigmoid", "sigmoid")),
    "mean of two": (
        lambda net, x: 50 * net.z(x).softmax(1) + 50 * net.two(net.pooled(x)).softmax(1), "none", PERCENT,
    ),
    "rounded": (lambda net, x: (100 * net.z(x).softmax(1)).half(), "none", PERCENT),
}  # fmt: skip


@pytest.mark.parametrize("sharp", [1.0, 100.0])
@pytest.mark.parametrize("end", PERCENTAGES)
def test_percentages_are_divided_and_not_squashed(networks, end, sharp) -> None:
    ending, activation, note = PERCENTAGES[end]
    model = read(networks, ending, sharp=sharp)
    assert (model.activation, model.notes) == (activation, (note,))
    tolerance = 3e-4 if end == "rounded" else 1e-6
    np.testing.assert_allclose(probabilities(model.predict(PIXELS), activation), own(model) / 100, atol=tolerance)
    torch.testing.assert_close(
        model.split("maps.1").head(model.split("maps.1").trunk(model.inputs(PIXELS))),
        model.logits(model.inputs(PIXELS)),
    )


def test_a_single_percentage(networks) -> None:
    single = read(networks, lambda net, x: 100 * net.z(x).sigmoid(), 1)
    expected = np.hstack([100 - own(single), own(single)]) / 100
    np.testing.assert_allclose(probabilities(single.predict(PIXELS), single.activation), expected, atol=1e-6)


NEGATED = {
    "softmin": (lambda net, x: functional.softmin(net.z(x), 1), "softmax", "softmin"),
    "module": (lambda net, x: nn.Softmin(1)(net.z(x)), "softmax", "softmin"),
    "1 - sigmoid": (lambda net, x: 1 - net.z(x).sigmoid(), "sigmoid", "sigmoid taken from 1"),
}


@pytest.mark.parametrize("sharp", [1.0, 100.0])
@pytest.mark.parametrize("end", NEGATED)
def test_a_step_of_the_negative_is_taken_off_too(networks, end, sharp) -> None:
    ending, activation, step = NEGATED[end]
    model = read(networks, ending, sharp=sharp)
    assert (model.activation, model.notes) == (activation, (CUT.format(step, step) + ", negated",))
    logits = model.predict(PIXELS)
    with torch.no_grad():
        np.testing.assert_allclose(logits, -model.module.z(model.inputs(PIXELS)).numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(probabilities(logits, activation), own(model), atol=1e-6)
    split = model.split("maps.1")
    torch.testing.assert_close(split.head(split.trunk(model.inputs(PIXELS))), model.logits(model.inputs(PIXELS)))


OTHER_BASES = {
    "to the base 2": (lambda p: p.log2(), 2),
    "to the base 10": (lambda p: p.log10(), 10),
    "divided": (lambda p: p.log() / np.log(2), 2),
}


@pytest.mark.parametrize("end", OTHER_BASES)
def test_logarithms_to_another_base(networks, end) -> None:
    """Softmax of log2 p would be p to the power of 1 / ln 2, divided by their sum."""
    logarithm, base = OTHER_BASES[end]
    cut = read(networks, lambda net, x: logarithm(net.z(x).softmax(1)))
    written = f"logarithms of probabilities to the base {base}"
    said = CUT.format("log softmax", "log softmax").replace("probabilities", written)
    assert (cut.activation, cut.notes) == ("softmax", (said,))
    mean = read(networks, lambda net, x: logarithm(PROBABILITIES["mean of two"](net, x)))
    said = f"its scores are {written}; methods explain their natural logarithms"
    assert (mean.activation, mean.notes) == ("softmax", (said,))
    for model in (cut, mean):
        expected = np.power(base, own(model))
        np.testing.assert_allclose(probabilities(model.predict(PIXELS), "softmax"), expected, atol=1e-6)


def test_positive_numbers_that_add_up_to_others_each_time_are_no_percentages(networks) -> None:
    assert read(networks, lambda net, x: functional.softplus(net.z(x)) + 1).activation == "softmax"


def test_a_black_box_of_percentages() -> None:
    def percentages(pixels):
        sums = pixels.sum((1, 2), dtype=np.float64)
        return 100 * sums / sums.sum(1, keepdims=True)

    box = BlackBox(percentages, Geometry(SIZE), batch_size=2)
    assert box.activation == "none"
    assert box.notes == (PERCENT,)
    np.testing.assert_allclose(box.predict(PIXELS), percentages(PIXELS) / 100, rtol=1e-6)


@pytest.mark.parametrize("said", [None, "none", "sigmoid", "softmax"])
@pytest.mark.parametrize("factor", [1, 100])
def test_one_number_an_image_is_explained_before_its_sigmoid_whatever_is_said(networks, factor, said) -> None:
    """The softmax of -z/2 and z/2 is the sigmoid of z: of two classes either word means the same."""
    model = read(networks, lambda net, x: factor * net.z(x).sigmoid(), 1, activation=said)
    assert (model.activation, model.notes) == ("sigmoid", (CUT.format("sigmoid", "sigmoid"),))
    with torch.no_grad():
        logit = model.module.z(model.inputs(PIXELS)).numpy()
    np.testing.assert_allclose(model.predict(PIXELS), np.hstack([-logit, logit]), rtol=1e-4, atol=1e-5)


def test_a_softmax_is_applied_to_sigmoids_of_several_classes_as_asked(networks) -> None:
    model = read(networks, lambda net, x: net.z(x).sigmoid(), activation="softmax")
    assert (model.activation, model.notes) == (
        "softmax",
        (
            "its scores lie in [0, 1], and the softmax is applied to them as asked; if they are probabilities, say "
            "--activation none",
        ),
    )
    np.testing.assert_allclose(model.predict(PIXELS), own(model), atol=1e-6)


CHANCES_OF = {
    "hard": lambda net, x: functional.hardsigmoid(net.z(x)),
    "hyperbolic": lambda net, x: (torch.tanh(net.z(x) / 2) + 1) / 2,
    "mean of two": lambda net, x: (net.z(x).sigmoid() + net.two(net.pooled(x)).sigmoid()) / 2,
    "one by one": lambda net, x: torch.stack([column.sigmoid() for column in net.z(x).unbind(1)], 1),
}


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("end", CHANCES_OF)
def test_independent_probabilities(networks, end, count) -> None:
    model = read(networks, CHANCES_OF[end], count)
    came, expected = probabilities(model.predict(PIXELS), model.activation), own(model)
    if count == 1:
        expected = np.hstack([1 - expected, expected])
    np.testing.assert_allclose(came, expected, atol=1e-6)
    cut = end == "one by one" and count == 1  # which is a sigmoid, and nothing else
    assert model.notes == ((CUT.format("sigmoid", "sigmoid"),) if cut else (CHANCES,))


PAIRS = {
    "no first": lambda net, x: torch.cat([1 - net.z(x).sigmoid(), net.z(x).sigmoid()], 1),
    "yes first": lambda net, x: torch.cat([net.z(x).sigmoid(), 1 - net.z(x).sigmoid()], 1),
    "stacked": lambda net, x: torch.stack([1 - net.z(x)[:, 0].sigmoid(), net.z(x)[:, 0].sigmoid()], 1),
    "once": lambda net, x: (lambda yes: torch.cat([1 - yes, yes], 1))(net.z(x).sigmoid()),
}


@pytest.mark.parametrize("end", PAIRS)
def test_two_columns_of_one_probability_are_those_of_its_logit(networks, end) -> None:
    model = read(networks, PAIRS[end], 1)
    assert (model.activation, model.notes) == ("sigmoid", (CUT.format("sigmoid", "sigmoid"),))
    with torch.no_grad():
        logit = model.module.z(model.inputs(PIXELS)).numpy()
    sign = -1 if end == "yes first" else 1
    np.testing.assert_allclose(model.predict(PIXELS), sign * np.hstack([-logit, logit]), rtol=1e-5, atol=1e-6)


def test_logits_that_happen_to_lie_between_0_and_1_are_logits(networks) -> None:
    """A layer without bounds made them."""

    def small(net, inputs):
        return net.one(functional.layer_norm(net.pooled(inputs), (8,)))

    module = networks.seeded(lambda: Net(small, 1))
    with torch.no_grad():
        module.one.weight.mul_(0.01)
        module.one.bias.fill_(0.5)
    model = model_of(module)
    assert 0 < own(model).min() < own(model).max() < 1
    assert (model.activation, model.notes) == ("sigmoid", ())


def test_zeros_are_no_probabilities(networks) -> None:
    model = read(networks, lambda net, x: 0 * net.z(x).abs())
    assert (model.activation, model.notes) == ("softmax", (ASSUMED,))


def made_of_each_other(net, inputs):
    features = net.pooled(inputs)
    return {"a": features, "b": net.one(features)}


NAMES = ("a", "b", "c", "d", "e")
OUTPUTS = {
    "features first": (lambda net, x: (net.pooled(x), net.one(net.pooled(x))), "0, 1", "1", NAMES),
    "logits first": (lambda net, x: [net.z(x), net.pooled(x)], "0, 1", "0", None),
    "made of each other": (made_of_each_other, "a, b", "b", None),
    "label and scores": (lambda net, x: (net.z(x).argmax(1), net.z(x)), "0, 1", "1", None),
    "nested": (
        lambda net, x: {"aux": {"embedding": net.pooled(x)}, "cls": (net.z(x),)}, "aux.embedding, cls.0", "cls.0", None
    ),
    "object": (lambda net, x: SimpleNamespace(hidden=net.pooled(x), scores=net.z(x)), "hidden, scores", "scores", None),
    "with a loss": (lambda net, x: {"loss": net.z(x).mean(), "probs": net.z(x)}, "loss, probs", "probs", None),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTPUTS)
def test_which_of_several_outputs_are_the_scores(networks, case) -> None:
    end, listed, chosen, names = OUTPUTS[case]
    expected = read(networks, lambda net, x: net.z(x))
    model = read(networks, end, classes=names)
    np.testing.assert_allclose(model.predict(PIXELS), expected.predict(PIXELS), rtol=1e-5, atol=1e-6)
    note = f"it has several outputs ({listed}): {chosen} is taken for the scores; --output chooses another"
    assert model.notes == (note, ASSUMED)
    cut = model.split("maps.1").trunk(model.inputs(PIXELS))
    torch.testing.assert_close(model.split("maps.1").head(cut), expected.logits(expected.inputs(PIXELS)))


def test_the_output_asked_for_and_those_that_are_not_there(networks) -> None:
    def end(net, inputs):
        return {"features": net.pooled(inputs), "coarse": net.z(inputs)[:, :2], "fine": net.z(inputs)}

    assert len(read(networks, end, output="coarse").classes) == 2
    assert len({read(networks, end, output=name).fingerprint for name in ("coarse", "fine")}) == 2
    with pytest.raises(UnknownNameError, match=r"unknown output of module 'fin': did you mean fine"):
        read(networks, end, output="fin")
    with pytest.raises(ModelError, match=r"each of 3 class names; its outputs are features \(8 numbers\), coarse \(2"):
        read(networks, end, classes=("a", "b", "c"))
    with pytest.raises(UsageError, match="module has a single output; got --output fine"):
        read(networks, lambda net, x: net.z(x), output="fine")
    with pytest.raises(ModelError, match=r"got one tensor \(2,\) torch.int64; whole numbers are labels"):
        read(networks, lambda net, x: net.z(x).argmax(1))


def test_probabilities_among_several_outputs_are_explained_before_their_softmax(networks) -> None:
    plain = read(networks, lambda net, x: net.z(x))
    model = read(networks, lambda net, x: {"features": net.pooled(x), "probs": net.z(x).softmax(1)})
    np.testing.assert_allclose(model.predict(PIXELS), plain.predict(PIXELS), rtol=1e-5, atol=1e-6)
    assert model.activation == "softmax"
    assert model.notes[1] == CUT.format("softmax", "softmax")


class Standardised(Net):
    """Its input is standardised over the whole batch, as some do in their forward."""

    def forward(self, inputs):
        return super().forward((inputs - inputs.mean()) / inputs.std())


class BatchStatistics(Net):
    """A batch norm that keeps no statistics."""

    def __init__(self, end):
        super().__init__(end)
        self.norm = nn.BatchNorm2d(8, track_running_stats=False)

    def pooled(self, inputs):
        return self.norm(self.maps(inputs)).relu().mean((2, 3))


class Summed(Net):
    """A picture's scores are added to those of the next, so that the first has its own."""

    def forward(self, inputs):
        return super().forward(inputs).cumsum(0)


class Shared(Net):
    """The number of images divides its scores."""

    def forward(self, inputs):
        return super().forward(inputs) / len(inputs)


ALONE = "its scores of a picture depend on those beside it, so each is run alone: slower, and the same every time"


LOGITS, SOFTMAX = (lambda net, x: net.z(x)), (lambda net, x: net.z(x).softmax(1))


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (Standardised, LOGITS),
        (BatchStatistics, LOGITS),
        (Shared, LOGITS),
        (Summed, LOGITS),
        (Standardised, SOFTMAX),
        (BatchStatistics, SOFTMAX),
    ],
)
def test_a_picture_has_its_own_scores_whatever_is_beside_it(networks, kind, end) -> None:
    model = model_of(networks.seeded(lambda: kind(end)))
    assert model.notes[-1] == ALONE
    inputs = model.inputs(PIXELS)
    with torch.no_grad():
        expected = torch.cat([model.network(row[None]) for row in inputs])
    torch.testing.assert_close(model.logits(inputs), expected)
    for backend in ("openvino", "torch", "eager"):
        torch.testing.assert_close(model.session(model.choose_backend(backend)).logits(inputs), expected)
    split = model.split("maps.1")
    torch.testing.assert_close(split.head(split.trunk(inputs)), expected)
    torch.testing.assert_close(split.trunk(inputs).row(1).activations, split.trunk(inputs[1:2]).activations)


def test_a_picture_that_cannot_be_run_alone_is_an_error_in_words(networks) -> None:
    class Late(Net):
        def __init__(self):
            super().__init__(None)
            self.norm = nn.BatchNorm1d(5, track_running_stats=False)

        def forward(self, inputs):
            return self.norm(self.z(inputs))

    with pytest.raises(ModelError, match=r"does not run on one picture: Expected more than 1 value per channel"):
        model_of(networks.seeded(Late))


def test_a_network_of_chance_is_not_said_to_depend_on_neighbours() -> None:
    class Noisy(Net):
        def forward(self, inputs):
            return self.z(inputs) + torch.randn(len(inputs), 5)

    assert model_of(Noisy(None)).notes == (ASSUMED,)


def test_a_black_box_that_mixes_pictures_is_asked_for_each_alone() -> None:
    box = BlackBox(lambda pixels: pixels.mean((1, 2)) - pixels.std(), Geometry(SIZE), batch_size=8)
    assert box.batch_size == 1
    assert box.notes[-1] == "its scores of a picture depend on those beside it, so each is asked for alone"
    alone = np.concatenate([box.predict(PIXELS[row : row + 1]) for row in range(3)])
    np.testing.assert_array_equal(box.predict(PIXELS), alone)
    assert BlackBox(lambda pixels: pixels.mean((1, 2)), Geometry(SIZE), batch_size=8).batch_size == 8


def test_a_black_box_of_several_arrays() -> None:
    def shares(pixels):
        sums = pixels.sum((1, 2), dtype=np.float64)
        return sums / sums.sum(1, keepdims=True)

    expected = shares(PIXELS).astype(np.float32)
    for answer, listed, chosen in (
        (lambda pixels: (pixels.mean((1, 2))[:, :2], shares(pixels)), "0, 1", "1"),  # of which one adds up to 1
        (lambda pixels: {"label": shares(pixels).argmax(1), "probability": shares(pixels)}, "label, probability", None),
        (lambda pixels: {"n": 3, "probability": shares(pixels).tolist()}, "probability", None),
        (lambda pixels: SimpleNamespace(hidden=pixels.mean(3), logits=shares(pixels)), "hidden, logits", "logits"),
    ):
        box = BlackBox(answer, Geometry(SIZE))
        np.testing.assert_array_equal(box.predict(PIXELS), expected)
        assert f"several outputs ({listed}): {chosen or 'probability'} is taken" in box.notes[0] or "," not in listed
    features = BlackBox(lambda pixels: (pixels.mean((1, 2))[:, :2], shares(pixels)), Geometry(SIZE), output="0")
    assert len(features.classes) == 2
    with pytest.raises(ModelError, match=r"got label \(2,\) int64; whole numbers are labels"):
        BlackBox(lambda pixels: {"label": shares(pixels).argmax(1)}, Geometry(SIZE))
    with pytest.raises(ModelError, match="got whole numbers, which are labels"):
        BlackBox(lambda pixels: shares(pixels).argmax(1), Geometry(SIZE))


class Small(torch.nn.Module):
    """Five logits times `scale`. `before`: what is done to the pictures; `after`: to the logits."""

    def __init__(self, before=lambda x: x, after=lambda z: z, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.head = torch.nn.Linear(8, 5)
        self.before, self.after, self.scale = before, after, scale

    def logits(self, x):
        return self.scale * self.head(self.stem(self.before(x)).relu().mean((2, 3)))

    def forward(self, x):
        return self.after(self.logits(x))


@pytest.mark.parametrize(
    "normalised",
    [
        lambda x: x / x.max(),
        lambda x: x / x.abs().max(),
        lambda x: (x - x.min()) / (x.max() - x.min()),
        lambda x: x / 255 if x.max() > 1.5 else x,
    ],
    ids=["largest", "largest magnitude", "range", "a guess at the scale"],
)
def test_what_one_loud_picture_decides_for_a_batch_is_found_out(normalised) -> None:
    model = TorchModel(
        Small(before=normalised).eval(), Geometry((16, 16), mode="squash"), mean=(0.5,) * 3, std=(0.5,) * 3
    )
    assert model.alone
    pixels = (
        np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
        // np.array([8, 4, 2, 1], np.uint8)[:, None, None, None]
    )
    alone = np.concatenate([model.predict(pixels[row : row + 1]) for row in range(4)])
    np.testing.assert_array_equal(model.predict(pixels), alone)


@pytest.mark.parametrize("scale", [3.0, 800.0], ids=["open", "saturated"])
@pytest.mark.parametrize(
    "ending",
    [
        lambda z: z.softmax(1).half(),
        lambda z: z.softmax(1).bfloat16(),
        lambda z: z.softmax(1).clamp(1e-4, 1 - 1e-4),
        lambda z: z.sigmoid().clamp(1e-4, 1 - 1e-4),
        functional.logsigmoid,
    ],
    ids=["half", "bfloat16", "clamped softmax", "clamped sigmoid", "log sigmoid"],
)
def test_endings_that_round_or_clamp_are_taken_off(ending, scale) -> None:
    net = Small(after=ending, scale=scale).eval()
    model = TorchModel(net, Geometry((16, 16), mode="squash"), mean=(0.5,) * 3, std=(0.5,) * 3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    with torch.no_grad():
        expected = net.logits(model.inputs(pixels)).numpy()
    np.testing.assert_allclose(model.predict(pixels), expected, rtol=1e-4, atol=1e-4 * scale)
