"""What every trust metric must do."""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lumiscope.attribution import PreparedBatch
from lumiscope.models import TorchModel
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_close
from lumiscope.testing._untouched import NetworkState, generators_kept, in_use
from lumiscope.testing.references import METRIC_REFERENCES, Known, MetricReference, Question
from lumiscope.trust import BASELINES, METRICS, Candidate, JudgedView, Score, TrueEffects, TrustMetric, Undefined
from lumiscope.types import ByteArray, DoubleArray, FedArray, FloatArray

FLOAT32 = 1e-4  # how far a value in float32 may be from its float64 reference
PICTURES = 3


@dataclass(frozen=True)
class MetricCase:
    """A metric that is checked, with its reference."""

    metric: TrustMetric
    reference: MetricReference | None

    @property
    def name(self) -> str:
        """The metric's."""
        return self.metric.name


def judged_view(model: TorchModel, number: int) -> JudgedView:
    """A picture with a true mask and the effects of four things in it, as a metric gets it."""
    view = networks.view_of(detailed_picture(number), f"picture {number}")
    prepared = PreparedBatch(model, [view], layer=networks.layer_of(model))
    (target,) = prepared.targets("predicted", [None])
    height, width = networks.SIZE
    rows, columns = np.mgrid[:height, :width]
    truth = (rows >= height // 4) & (rows < height // 2) & (columns < width // 3)
    regions = np.stack([truth, columns > width // 2, rows < height // 3, (rows + columns) % 2 == 0])
    drops = np.random.default_rng(number).normal(size=len(regions))

    names = ("cat", "ear", "red", "sky")

    def scores_without(left_out: frozenset[str]) -> FloatArray:
        """The class has 8, less 4 without the cat and 1 for each further thing; all others have 5."""
        scores = np.full(len(model.classes), 5, np.float32)
        scores[target.index] = 8 - 4 * ("cat" in left_out) - len(left_out - {"cat"})
        return scores

    effects = TrueEffects(names, ("object", "part", "colour", "scene"), regions, drops, scores_without)
    return JudgedView(prepared, target, truth=truth, effects=effects)


def detailed_picture(number: int) -> ByteArray:
    """(h, w, 3) uint8: soft blobs, darker in every other pair of columns: also when it is blurred something is lost."""
    pixels = networks.picture(number)
    return np.where(np.arange(pixels.shape[1])[:, np.newaxis] % 4 < 2, pixels, pixels // 4)


def maps_of_a_view() -> list[DoubleArray]:
    """Smooth, signed noise, all ties but two levels, mostly 0 as after a ReLU, constant, and undefined."""
    rows, columns = np.mgrid[: networks.SIZE[0], : networks.SIZE[1]]
    noise = np.random.default_rng(0).normal(size=networks.SIZE)
    smooth = np.sin(rows / 5) + np.cos(columns / 7)
    two_levels = np.where(columns < networks.SIZE[1] // 3, 1.0, 0.0)
    return [smooth, noise, two_levels, np.maximum(noise - 1, 0), np.ones(networks.SIZE), np.full(networks.SIZE, np.nan)]


def explain_by_brightness(pictures: Sequence[FedArray]) -> list[DoubleArray]:
    """What every map of the checks is made again with: no model is needed to know what must come out."""
    return [np.asarray(picture, np.float64).mean(axis=2) ** 2 for picture in pictures]


def redraw(values: DoubleArray, seed: int) -> DoubleArray:
    """What a map of the checks is under another seed: nearly the same."""
    return values + np.random.default_rng(seed).normal(0, 0.5, values.shape)


def candidates_of_a_view() -> list[Candidate]:
    """The maps, with the explainer and what gives them under another seed."""
    return [
        Candidate(f"map {number}", values, explain_by_brightness, partial(redraw, values))
        for number, values in enumerate(maps_of_a_view())
    ]


def bounds_of(metric: TrustMetric) -> tuple[float, float]:
    """Its lowest and highest value; infinite where it has no bound."""
    low, high = metric.range
    return -math.inf if low is None else low, math.inf if high is None else high


def says_what_it_is(case: MetricCase) -> None:
    """A title, a citation with a year, what its values mean, bounds in order, a baseline, and the reason of a doubt."""
    metric = case.metric
    expect(metric.title, f"expected {case.name} to have a title")
    expect(
        re.search(r"\b(18|19|20)\d\d\b", metric.citation),
        f"expected the citation of {case.name} to name author and year; got {metric.citation!r}",
    )
    expect(inspect.getdoc(metric.measure), f"expected what defines {case.name} to say what its values mean")
    low, high = bounds_of(metric)
    expect(low < high, f"expected the bounds of {case.name} in order; got {low} and {high}")
    expect(metric.null in BASELINES, f"expected {case.name} to name a baseline as its null; got {metric.null!r}")
    doubtful = metric.verdict == "sound" or metric.caution
    expect(doubtful, f"expected {case.name}, which is {metric.verdict}, to say why")


def values_of(case: MetricCase, model: TorchModel, number: int) -> list[Score]:
    """The scores of all maps of one picture."""
    return list(case.metric.measure(judged_view(model, number), candidates_of_a_view()))


def numbers(scores: Sequence[Score]) -> DoubleArray:
    """Scores as numbers, NaN where undefined."""
    return np.array([math.nan if isinstance(score, Undefined) else score for score in scores])


def judges_within_its_bounds(case: MetricCase) -> None:
    """One score a map, in order: a number between the bounds, or the reason why there is none, as for a map of NaN."""
    low, high = bounds_of(case.metric)
    told = 0
    for model, number in itertools.product((networks.bent_model(), networks.plain_model()), range(PICTURES)):
        scores, candidates = values_of(case, model, number), candidates_of_a_view()
        expect(len(scores) == len(candidates), f"expected {len(candidates)} scores of {case.name}; got {len(scores)}")
        expect(isinstance(scores[-1], Undefined), f"expected {case.name} of a map of NaN to be undefined")
        for score in scores:
            if isinstance(score, Undefined):
                expect(score.reason, f"expected {case.name} to say why a score is undefined")
                continue
            told += 1
            inside = low - 1e-9 <= score <= high + 1e-9
            expect(inside, f"expected {case.name} in [{low}, {high}], or Undefined with a reason; got {score}")
    expect(told, f"expected {case.name} to score some map; all were undefined")


def leaves_the_maps_alone(case: MetricCase) -> None:
    """Maps are whoever's they were."""
    candidates = candidates_of_a_view()
    case.metric.measure(judged_view(networks.bent_model(), 0), candidates)
    for candidate, values in zip(candidates, maps_of_a_view(), strict=True):
        untouched = np.array_equal(candidate.values, values, equal_nan=True)
        expect(untouched, f"expected {case.name} to leave the maps as they were")


def equals_its_reference(case: MetricCase) -> None:
    """The values are those of the slow, plain program in float64: shares of 1, or of the largest where it is larger."""
    expect(
        case.reference is not None,
        f"expected a slow, plain reference of {case.name}: give reference=…, or register one with @replicates_metric",
    )
    assert case.reference is not None
    for model, number in itertools.product((networks.bent_model(), networks.plain_model()), range(PICTURES)):
        view = judged_view(model, number)
        assert view.truth is not None
        assert view.effects is not None
        question = Question(
            network=copy.deepcopy(model.module).double().eval(),
            pixels=view.view.pixels,
            mean=model.mean,
            std=model.std,
            layer=networks.layer_of(model),
            target=view.target.index,
            seed=view.seed,
            options={},
        )
        known = Known(view.view.item_id, view.truth, view.effects, view.superpixels, explain_by_brightness, redraw)
        values = numbers(values_of(case, model, number))
        what = f"the values of {case.name} for picture {number} by the network {model.name} as its reference has them,"
        expected = np.array(case.reference(question, maps_of_a_view(), known))
        expect_close(np.append(values, 1.0), np.append(expected, 1.0), FLOAT32, what)


def is_the_same_alone_and_again(case: MetricCase) -> None:
    """A map's score does not depend on the maps beside it, and comes out the same every time."""
    model = networks.bent_model()
    for number in range(PICTURES):
        together = numbers(values_of(case, model, number))
        again = numbers(values_of(case, model, number))
        expect(np.array_equal(together, again, equal_nan=True), f"expected {case.name} to give the very same again")
        view = judged_view(model, number)
        alone = [case.metric.measure(view, [candidate])[0] for candidate in reversed(candidates_of_a_view())]
        what = f"the scores of {case.name} for maps alone as among others,"
        expect_close(numbers(alone[::-1]), together, FLOAT32, what)


def leaves_the_model_untouched(case: MetricCase) -> None:
    """Also a model in the middle of its owner's work."""
    model = networks.bent_model()
    in_use(model.module)
    before = NetworkState.of(model.module)
    with generators_kept(case.name):
        values_of(case, model, 0)
    before.expect_same(NetworkState.of(model.module), f"{case.name}")


METRIC_CHECKS: tuple[Callable[[MetricCase], None], ...] = (
    says_what_it_is,
    judges_within_its_bounds,
    leaves_the_maps_alone,
    equals_its_reference,
    is_the_same_alone_and_again,
    leaves_the_model_untouched,
)
"""What `check_metric` checks, one thing each."""


def metric_case(name: str, reference: MetricReference | None = None) -> MetricCase:
    """What the checks of a metric get; see `check_metric`."""
    return MetricCase(METRICS[name], METRIC_REFERENCES.get(name) if reference is None else reference)


def check_metric(name: str, reference: MetricReference | None = None) -> None:
    """Check that the trust metric `name` does all that lumiscope and its users rely on.

    `reference`: the slow, plain program in float64 that its values must equal, (question, maps, known) -> values; None:
    the one that was registered with `@replicates_metric`.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a metric that
    does not exist.
    """
    case = metric_case(name, reference)
    for check in METRIC_CHECKS:
        check(case)
