"""A model of which only answers are known: its scores, what they are taken for, and what is said of bad ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from lumiscope.attribution import Predictor
from lumiscope.errors import ModelError
from lumiscope.images import Geometry
from lumiscope.models import BlackBox, VisionModel, probabilities

SQUARE = Geometry((8, 8))
PICTURES = np.random.default_rng(1).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def shares(pixels):
    """(N, 3): how much of all light is red, green, blue; they add up to 1."""
    sums = pixels.sum((1, 2), dtype=np.float64)
    return sums / sums.sum(1, keepdims=True)


def means(pixels):
    """(N, 3): mean red, green, blue; no probabilities."""
    return pixels.mean((1, 2))


def light(pixels):
    """(N,): between 0 and 1."""
    return pixels.mean((1, 2, 3)) / 255


def test_its_scores_are_what_the_function_gives() -> None:
    box = BlackBox(shares, SQUARE, classes=("red", "green", "blue"), name="colours")
    assert isinstance(box, VisionModel)
    scores = box.predict(PICTURES)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, shares(PICTURES), rtol=1e-6)
    views = [SQUARE.view(picture, str(number)) for number, picture in enumerate(PICTURES)]
    np.testing.assert_array_equal(box.predict(views), scores)
    assert box.predict([]).shape == (0, 3)
    assert box.predict(PICTURES[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    ("function", "said", "activation", "noted"),
    [
        (shares, None, "none", "add up to 1"),
        (means, None, "softmax", "taken for logits (softmax)"),
        (light, None, "none", "lie in [0, 1] and are taken for probabilities, each class yes or no"),
        (lambda pixels: means(pixels) / 255, None, "none", "lie in [0, 1]"),
        (lambda pixels: light(pixels) * 4 - 1, None, "sigmoid", "taken for logits (sigmoid)"),
        (shares, "softmax", "softmax", ""),
        (means, "sigmoid", "sigmoid", ""),
        (light, "none", "none", ""),
        (light, "softmax", "sigmoid", ""),  # a softmax of one number would always be 1
    ],
)
def test_what_the_numbers_are_taken_for(function, said, activation, noted) -> None:
    box = BlackBox(function, SQUARE, activation=said)
    assert box.activation == activation
    assert noted in "".join(box.notes)
    assert bool(noted) == bool(box.notes)


def test_one_number_stands_for_two_classes() -> None:
    chance = BlackBox(light, SQUARE, activation="none")
    assert chance.classes == ("no", "yes")
    bright = light(PICTURES)
    np.testing.assert_allclose(chance.predict(PICTURES), np.stack([1 - bright, bright], 1), rtol=1e-6)
    logit = BlackBox(lambda pixels: 4 * light(pixels)[:, None], SQUARE, classes=("dark", "bright"))
    given = probabilities(logit.predict(PICTURES), logit.activation)
    np.testing.assert_allclose(given, np.stack([expit(-4 * bright), expit(4 * bright)], 1), rtol=1e-6)


def test_whatever_kind_of_array_the_answer_is() -> None:
    expected = shares(PICTURES).astype(np.float32)
    for kind in (
        lambda pixels: shares(pixels).tolist(),
        lambda pixels: torch.from_numpy(shares(pixels)).requires_grad_(),
        lambda pixels: shares(pixels)[:, :, None, None],
    ):
        np.testing.assert_array_equal(BlackBox(kind, SQUARE).predict(PICTURES), expected)
    coarse = BlackBox(lambda pixels: torch.from_numpy(shares(pixels)).bfloat16(), SQUARE, activation="none")
    np.testing.assert_allclose(coarse.predict(PICTURES), expected, rtol=2**-8)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda pixels: shares(pixels)[:-1],
            r"expected \(2, classes\) numbers from callable for 2 pictures; got \(1, 3\)",
        ),
        (lambda pixels: shares(pixels)[0], r"for 2 pictures; got \(3,\)"),
        (lambda pixels: pixels, r"got \(2, 8, 8, 3\)"),
        (lambda pixels: shares(pixels)[:, :0], r"got \(2, 0\)"),
        (lambda pixels: 3.0, r"got \(\)"),
        (lambda pixels: None, "got"),
        (lambda pixels: [[1, 2], [3]], "got list that is no array of numbers"),
        (lambda pixels: "text", "got str that is no array of numbers"),
        (lambda pixels: shares(pixels) * np.nan, "NaN or infinity for 2 of 2 pictures"),
        (lambda pixels: 1 / 0, r"failed on \(2, 8, 8, 3\) uint8 pictures: ZeroDivisionError"),
    ],
)
def test_answers_that_do_not_serve(function, message) -> None:
    with pytest.raises(ModelError, match=message):
        BlackBox(function, SQUARE)


def test_names_and_values_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match=r"expected 2 scores a picture .*; got 3\. Check --classes"):
        BlackBox(shares, SQUARE, classes=("a", "b"))
    with pytest.raises(ModelError, match=r"expected probabilities .*--activation softmax or sigmoid"):
        BlackBox(means, SQUARE, activation="none")
    box = BlackBox(shares, SQUARE)
    for wrong in (PICTURES[:, :4], PICTURES.astype(np.float32), PICTURES[0]):
        with pytest.raises(ModelError, match=r"expected \(N, 8, 8, 3\) uint8 pictures"):
            box.predict(wrong)


def test_trouble_that_comes_later_is_told_too() -> None:
    box = BlackBox(lambda pixels: np.where(pixels[:, 0, 0] == 7, np.nan, shares(pixels)), SQUARE)
    picture = PICTURES.copy()
    picture[3, 0, 0] = 7
    with pytest.raises(ModelError, match="NaN or infinity for 1 of 5 pictures"):
        box.predict(picture)


def test_calls_are_of_the_size_it_likes_smaller_where_memory_runs_out_and_on_copies() -> None:
    sizes = []

    def greedy(pixels):
        sizes.append(len(pixels))
        if len(pixels) > 2:
            raise MemoryError
        scores = shares(pixels)
        pixels[:] = 0
        return scores

    box = BlackBox(greedy, SQUARE, batch_size=4)
    pictures = PICTURES.copy()
    sizes.clear()
    np.testing.assert_allclose(box.predict(pictures), shares(PICTURES), rtol=1e-6)
    assert sizes == [4, 2, 2, 1]
    np.testing.assert_array_equal(pictures, PICTURES)


def test_the_fingerprint_tells_models_apart_and_one_model_from_nothing_else() -> None:
    def print_of(function=shares, **given):
        return BlackBox(function, given.pop("geometry", SQUARE), **given).fingerprint

    variants = [
        {},
        {"spec": "other"},
        {"identity": "version 2"},
        {"geometry": Geometry((8, 10))},
        {"activation": "softmax"},
        {"function": lambda pixels: shares(pixels)[:, ::-1]},
        {"mean": (0.5, 0.5, 0.5)},
    ]
    assert len({print_of(**variant) for variant in variants}) == len(variants)
    assert print_of() == print_of(function=lambda pixels: shares(pixels) + 1e-6, name="renamed")


def test_blending_rounds_pixels_and_asks_for_as_many_as_the_box_likes() -> None:
    asked = []

    def recorded(pixels):
        asked.append(pixels.copy())
        return shares(pixels)

    box = BlackBox(recorded, SQUARE, batch_size=32)
    asked.clear()
    view = SQUARE.view(PICTURES[0], "p")
    weights = np.linspace(0, 1, 40, dtype=np.float32)[:, None, None] * np.ones((8, 8), np.float32)
    hidden = np.full((8, 8, 3), 200, np.uint8)
    scores = Predictor(box).masked_logits(view.pixels, hidden, lambda start, stop: weights[start:stop], 40)
    assert [len(batch) for batch in asked] == [32, 8]
    mixed = np.rint(weights[..., None] * view.pixels.astype(np.float64) + (1 - weights[..., None]) * 200.0)
    assert np.abs(np.concatenate(asked).astype(float) - mixed).max() <= 1  # halves may go either way
    np.testing.assert_allclose(scores[-1], shares(PICTURES[:1])[0], rtol=1e-6)
    np.testing.assert_allclose(scores[0], [1 / 3] * 3, rtol=1e-6)


def test_probabilities_of_every_activation() -> None:
    scores = np.array([[1.0, -2.0, 0.5]], np.float32)
    np.testing.assert_allclose(probabilities(scores, "softmax"), softmax(scores, 1), rtol=1e-6)
    np.testing.assert_allclose(probabilities(scores, "sigmoid"), expit(scores), rtol=1e-6)
    np.testing.assert_array_equal(probabilities(scores, "none"), scores)
