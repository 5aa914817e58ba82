"""Methods that ask a model many times keep the columns that they want: memory does not grow with samples × classes."""

from __future__ import annotations

import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.attribution import METHODS, KeptClasses, Predictor
from lumiscope.models import BlackBox
from lumiscope.models.backends.batches import in_batches

CLASSES, SAMPLES = 4000, 800
OPTIONS = {
    "lime": {"num_samples": SAMPLES, "segmenter": "grid"},
    "kernelshap": {"num_samples": SAMPLES, "segmenter": "grid"},
    "rise": {"num_masks": SAMPLES},
    "occlusion": {"window": 4, "stride": 1},
    "scorecam": {},
    "ablationcam": {},
}


class Wide(nn.Module):
    """Many channels, and more classes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.maps = nn.Sequential(nn.Conv2d(3, SAMPLES, 8, stride=8), nn.ReLU())
        self.fc = nn.Linear(SAMPLES, CLASSES)

    def forward(self, inputs):
        return self.fc(self.maps(inputs).mean((2, 3)).square())  # no closed form


class Kept(torch.utils._python_dispatch.TorchDispatchMode):
    """The most rows of scores that one tensor ever had. `weight`: of the classifier, which has as many columns."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight
        self.rows = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if (
            isinstance(result, torch.Tensor)
            and result.ndim == 2
            and result.shape[1] == CLASSES
            and result.data_ptr() != self.weight.data_ptr()
        ):
            self.rows = max(self.rows, len(result))
        return result


@pytest.mark.parametrize("method", OPTIONS)
def test_no_method_keeps_all_classes_of_all_samples(torch_model, prepare, method):
    model = torch_model(Wide(), (32, 32))
    layer = "maps.1" if METHODS[method].needs_layer else None
    prepared = prepare(model, layer, count=1)
    targets = prepared.targets("predicted", [None])
    tracemalloc.start()
    with Kept(model.module.fc.weight) as kept:
        METHODS[method].explain(prepared, targets, METHODS[method].options(OPTIONS[method]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < kept.rows <= model.batch_size < SAMPLES
    assert peak < SAMPLES * CLASSES * 4 / 2  # bytes; all columns in float32 would be twice as many


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("kind", ["torch", "black box"])
def test_what_is_kept_of_scores_does_not_keep_them_alive(torch_model, prepare, monkeypatch, kind, size):
    """As a view of one column would."""
    model = torch_model(Wide(), (32, 32))
    monkeypatch.setattr(model.reference, "batch_size", size)
    if kind == "black box":
        model = BlackBox(model.predict, model.geometry, classes=model.classes, batch_size=size)
    pixels = prepare(torch_model(Wide(), (32, 32)), count=1).views[0].pixels
    given, alive = [], []

    def keep(logits):
        alive.append(sum(array() is not None for array in given))
        given.append(weakref.ref(logits))
        return logits[:, 7]

    masks = np.random.default_rng(0).random((12, 32, 32)) < 0.5
    kept = Predictor(model).masked_logits(pixels, 0 * pixels, lambda start, stop: masks[start:stop], 12, keep)
    assert kept.shape == (12,)
    assert len(alive) == 12 / size
    assert max(alive) <= 1  # the last one


def test_batches_let_go_what_is_not_kept():
    given, alive = [], []

    def run(start, stop):
        alive.append(sum(array() is not None for array in given))
        scores = np.full((stop - start, 1000), start)
        given.append(weakref.ref(scores))
        return torch.from_numpy(scores)[:, 3]

    assert in_batches(run, 6, 2).tolist() == [0, 0, 2, 2, 4, 4]
    assert alive == [0, 0, 0]


def test_the_columns_that_are_kept_are_those_of_all(torch_model, prepare):
    model = torch_model(Wide(), (32, 32))
    (view,) = prepare(model, count=1).views
    masks = np.random.default_rng(0).random((40, 32, 32)) < 0.5
    arguments = (view.pixels, np.zeros_like(view.pixels), lambda start, stop: masks[start:stop], 40)
    predictor = Predictor(model)
    everything = predictor.probabilities_of(predictor.masked_logits(*arguments))
    kept = KeptClasses(7, top=3)
    came = predictor.masked_probabilities(*arguments, kept)
    best = np.argsort(-everything[0], kind="stable")[:3]
    np.testing.assert_array_equal(kept.ranked, best)
    np.testing.assert_array_equal(came, everything[:, [7, *best]])
    assert [kept.column(label) for label in (7, *best)] == [0, 1, 2, 3]
    twice = KeptClasses(int(best[1]), top=3)  # of the target there is one column, too
    np.testing.assert_array_equal(twice.of(everything), everything[:, [best[1], best[0], best[2]]])


def test_of_equal_classes_the_first_are_kept():
    kept = KeptClasses(0, top=5)
    assert kept.of(np.tile([[0.2, 0.5, 0.3]], (2, 100))).shape == (2, 6)
    assert kept.ranked.tolist() == [1, 4, 7, 10, 13]
