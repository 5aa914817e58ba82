"""What every trust metric must do."""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution import PreparedBatch
from lumiscope.errors import LumiscopeError
from lumiscope.models import TorchModel
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_close
from lumiscope.testing._untouched import NetworkState, generators_kept, in_use
from lumiscope.testing.references import METRIC_REFERENCES, MetricReference, Question
from lumiscope.trust import METRICS, MaskJudge, TrustMetric
from lumiscope.types import BoolArray

FLOAT32 = 1e-4  # how far a value in float32 may be from its float64 reference


@dataclass(frozen=True)
class MetricCase:
    """A metric that is checked, with its reference."""

    metric: TrustMetric
    reference: MetricReference | None

    @property
    def name(self) -> str:
        """The metric's."""
        return self.metric.name

    def judge(self, prepared: PreparedBatch) -> MaskJudge:
        """What judges masks of a batch's only picture, for the class that the model predicts."""
        (target,) = prepared.targets("predicted", [None])
        return self.metric.judge(prepared, target)


def prepare(model: TorchModel, number: int) -> PreparedBatch:
    """A batch of one picture."""
    return PreparedBatch(model, networks.views_of(1, first=number), layer=networks.layer_of(model))


def masks_of_a_view() -> list[BoolArray]:
    """Nothing, everything, a corner, a band, and scattered pixels."""
    height, width = networks.SIZE
    rows, columns = np.mgrid[:height, :width]
    return [
        np.zeros(networks.SIZE, np.bool_),
        np.ones(networks.SIZE, np.bool_),
        (rows < height // 2) & (columns < width // 3),
        (rows >= height // 4) & (rows < height // 2),
        np.random.default_rng(0).random(networks.SIZE) < 0.4,
    ]


def bounds_of(metric: TrustMetric) -> tuple[float, float]:
    """Its lowest and highest value; infinite where it has no bound."""
    return -math.inf if metric.low is None else metric.low, math.inf if metric.high is None else metric.high


def says_what_it_is(case: MetricCase) -> None:
    """A title, a citation with a year, what its values mean, and bounds in order."""
    metric = case.metric
    expect(metric.title, f"expected {case.name} to have a title")
    expect(
        re.search(r"\b(18|19|20)\d\d\b", metric.citation),
        f"expected the citation of {case.name} to name author and year; got {metric.citation!r}",
    )
    expect(inspect.getdoc(metric.judge), f"expected what defines {case.name} to say what its values mean")
    low, high = bounds_of(metric)
    expect(low < high, f"expected the bounds of {case.name} in order; got {low} and {high}")


def values_of(case: MetricCase, model: TorchModel, number: int, masks: Sequence[BoolArray]) -> list[float]:
    """The values of masks of one picture; none where the metric refuses the picture."""
    try:
        return case.judge(prepare(model, number)).of(masks)
    except LumiscopeError:
        return []


def judges_within_its_bounds(case: MetricCase) -> None:
    """One float a mask, in order, between the bounds that it declares or NaN; the masks stay as they were."""
    metric, masks = case.metric, masks_of_a_view()
    judged = 0
    for model, number in itertools.product((networks.bent_model(), networks.plain_model()), range(4)):
        values = values_of(case, model, number, masks)
        expect(len(values) in (0, len(masks)), f"expected {len(masks)} values of {case.name}; got {len(values)}")
        judged += len(values)
        low, high = bounds_of(metric)
        outside = [value for value in values if not (math.isnan(value) or low <= value <= high)]
        expect(not outside, f"expected {case.name} in [{low}, {high}]; got {outside}")
    untouched = all(np.array_equal(mask, same) for mask, same in zip(masks, masks_of_a_view(), strict=True))
    expect(untouched, f"expected {case.name} to leave the masks as they were")
    expect(judged, f"expected {case.name} to judge masks of one picture of eight; it refused all of them")


def equals_its_reference(case: MetricCase) -> None:
    """The values are those of the slow, plain program in float64."""
    expect(
        case.reference is not None,
        f"expected a slow, plain reference of {case.name}: give reference=…, or register one with @replicates_metric",
    )
    assert case.reference is not None
    masks = masks_of_a_view()
    for model, number in itertools.product((networks.bent_model(), networks.plain_model()), range(4)):
        values = values_of(case, model, number, masks)
        if not values:
            continue
        prepared = prepare(model, number)
        (target,) = prepared.targets("predicted", [None])
        question = Question(
            network=copy.deepcopy(model.module).double().eval(),
            pixels=prepared.views[0].pixels,
            mean=model.mean,
            std=model.std,
            layer=networks.layer_of(model),
            target=target.index,
            seed=0,
            options={},
        )
        what = f"the values of {case.name} for picture {number} by the network {model.name} as its reference has them,"
        expect_close(np.array(values), np.array(case.reference(question, masks)), FLOAT32, what)


def is_the_same_alone_and_again(case: MetricCase) -> None:
    """A mask's value does not depend on the masks before it, and comes out the same every time."""
    model, masks = networks.bent_model(), masks_of_a_view()
    for number in range(4):
        together = values_of(case, model, number, masks)
        if not together:
            continue
        again = values_of(case, model, number, masks)
        expect(np.array_equal(together, again, equal_nan=True), f"expected {case.name} to give the very same again")
        judge = case.judge(prepare(model, number))
        alone = [judge.of([mask])[0] for mask in reversed(masks)][::-1]
        what = f"the values of {case.name} for masks alone as among others,"
        expect_close(np.array(alone), np.array(together), FLOAT32, what)


def leaves_the_model_untouched(case: MetricCase) -> None:
    """Also a model in the middle of its owner's work."""
    model = networks.bent_model()
    in_use(model.module)
    before = NetworkState.of(model.module)
    with generators_kept(case.name):
        values_of(case, model, 0, masks_of_a_view())
    before.expect_same(NetworkState.of(model.module), f"{case.name}")


METRIC_CHECKS: tuple[Callable[[MetricCase], None], ...] = (
    says_what_it_is,
    judges_within_its_bounds,
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

    `reference`: the slow, plain program in float64 that its values must equal, (question, masks) -> values; None: the
    one that was registered with `@replicates_metric`.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a metric that
    does not exist.
    """
    case = metric_case(name, reference)
    for check in METRIC_CHECKS:
        check(case)
