"""What every attribution method must do."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from lumiscope.agreement import parse_rule
from lumiscope.attribution import METHODS, AttributionMethod, PreparedBatch, derive_seed, option_help
from lumiscope.errors import LumiscopeError, UnknownNameError, UsageError
from lumiscope.images import View
from lumiscope.models import BlackBox, TorchModel, VisionModel
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_close, expect_refusal
from lumiscope.testing._option_values import invalid_values
from lumiscope.testing._untouched import NetworkState, generators_kept, in_use
from lumiscope.testing.references import METHOD_REFERENCES, MethodReference, Question, RegisteredReference
from lumiscope.types import SaliencyMap, Target

FLOAT32 = 1e-3  # how far a map in float32 may be from its float64 reference, as a share of the largest value
ROUNDING = 1e-5  # how far it may be from the same map made among others


@dataclass(frozen=True)
class MethodCase:
    """A method that is checked, with its reference and options under which it runs a network a few times only."""

    method: AttributionMethod[Any]
    reference: RegisteredReference | None
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The method's."""
        return self.method.name

    def prepare(self, model: VisionModel, views: Sequence[View]) -> PreparedBatch:
        """A batch, at a layer where the method needs one."""
        layer = networks.layer_of(model) if self.method.needs_layer and isinstance(model, TorchModel) else None
        return PreparedBatch(model, views, layer=layer)

    def explain(self, model: VisionModel, views: Sequence[View], wanted: str | int = "predicted") -> list[SaliencyMap]:
        """The maps of `views`."""
        prepared = self.prepare(model, views)
        return self.explain_prepared(prepared, prepared.targets(wanted, [None] * len(views)))

    def explain_prepared(self, prepared: PreparedBatch, targets: Sequence[Target]) -> list[SaliencyMap]:
        """The maps of a batch."""
        return self.method.explain(prepared, targets, self.method.options(self.options))


def says_what_it_is(case: MethodCase) -> None:
    """Title, citation with a year, cost, a mask rule that exists, and options that are explained."""
    method = case.method
    expect(method.title and method.passes, f"expected {case.name} to have a title and to say what it costs (passes)")
    expect(
        re.search(r"\b(18|19|20)\d\d\b", method.citation),
        f"expected the citation of {case.name} to name author and year; got {method.citation!r}",
    )
    parse_rule(method.mask_rule)
    kind = method.options_type
    parameters = getattr(kind, "__dataclass_params__", None)
    expect(
        parameters is not None and parameters.frozen,
        f"expected the options of {case.name} to be a frozen dataclass; got {kind}",
    )
    silent = [option.name for option in option_help(kind) if not option.meaning]
    expect(not silent, f"expected the docstring of {kind.__name__} to say what `{'`, `'.join(silent)}` mean")


def gives_maps(case: MethodCase) -> None:
    """One map an image, in order, float32 on the view, that says what it is of."""
    views = networks.views_of()
    prepared = case.prepare(networks.bent_model(), views)
    targets = prepared.targets(1, [None] * len(views))
    maps = case.explain_prepared(prepared, targets)
    expect(len(maps) == len(views), f"expected {len(views)} maps of {case.name}, one a view; got {len(maps)}")
    said = dataclasses.asdict(case.method.options(case.options))
    for view, target, saliency in zip(views, targets, maps, strict=True):
        expect(
            (saliency.item_id, saliency.method, saliency.target) == (view.item_id, case.name, target),
            f"expected a map of {case.name} for {view.item_id} and {target}; it says {saliency.method}, "
            f"{saliency.item_id} and {saliency.target}",
        )
        expect(saliency.options == said, f"expected the map to say its options, {said}; got {saliency.options}")
        values, shown = saliency.values, saliency.display()
        expect(
            values.shape == networks.SIZE and values.dtype == np.float32,
            f"expected {networks.SIZE} float32 values of {case.name}; got {values.dtype} of shape {values.shape}",
        )
        expect(
            shown.shape == networks.SIZE and 0 <= shown.min() <= shown.max() <= 1,
            f"expected display() of {case.name} in [0, 1]; got {shown.min()} to {shown.max()}",
        )


def equals_its_reference(case: MethodCase) -> None:
    """The values are those of the slow, plain program in float64: behind a head that bends, and behind a linear one."""
    expect(
        case.reference is not None,
        f'expected a slow, plain reference of {case.name}: give reference=…, or register one with @replicates("…")',
    )
    assert case.reference is not None
    for model in (networks.bent_model(), networks.plain_model()):
        views = networks.views_of(2)
        double = copy.deepcopy(model.module).double().eval()
        for view, saliency in zip(views, case.explain(model, views), strict=True):
            question = Question(
                network=double,
                pixels=view.pixels,
                mean=model.mean,
                std=model.std,
                layer=networks.layer_of(model),
                target=saliency.target.index,
                seed=derive_seed(0, view.item_id, case.name),
                options=dataclasses.asdict(case.method.options(case.options)),
            )
            expected = case.reference.function(question)
            what = f"the map of {case.name} for {view.item_id} by the network {model.name} as its reference has it,"
            expect_close(saliency.values, np.asarray(expected), FLOAT32, what)


def is_the_same_alone_and_again(case: MethodCase) -> None:
    """An image's map does not depend on the others of its batch, and comes out the same every time."""
    model = networks.bent_model()
    together = case.explain(model, networks.views_of(3))
    again = case.explain(model, networks.views_of(3))
    for number, saliency in enumerate(together):
        same = np.array_equal(again[number].values, saliency.values, equal_nan=True)
        expect(same, f"expected {case.name} to give the very same map again for {saliency.item_id}")
        (alone,) = case.explain(model, networks.views_of(1, first=number))
        what = f"the map of {case.name} for {saliency.item_id} alone as among others,"
        expect_close(alone.values, saliency.values, ROUNDING, what)


def says_whether_it_looks_at_the_class(case: MethodCase) -> None:
    """Of every view the maps of two classes are the same where it says that it is blind to them, and else differ."""
    model, views = networks.bent_model(), networks.views_of()
    first, second = (case.explain(model, views, target) for target in (0, 1))
    same = all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(first, second, strict=True))
    blind = case.method.class_blind
    came = "the same" if same else "different"
    expect(
        same == blind,
        f"expected {case.name}, of class_blind={blind}, to keep to it; the maps of two classes are {came}",
    )


def refuses_wrong_options(case: MethodCase) -> None:
    """Values of another type, out of bounds, and options that it has not; the message names the option."""
    kind = case.method.options_type
    for name, value in invalid_values(kind):
        message = expect_refusal(
            partial(case.method.options, {name: value}),
            UsageError,
            f"{name}={value!r} of {case.name}",
        )
        expect(name in message, f"expected the refusal of {name}={value!r} to name the option; got: {message}")
    known = [field.name for field in dataclasses.fields(kind)]
    for wrong in [f"{name}x" for name in known] or ["x"]:
        message = expect_refusal(
            partial(case.method.options, {wrong: 1}),
            UnknownNameError,
            f"the option {wrong}, which {case.name} has not,",
        )
        expect(wrong in message, f"expected the refusal of the option {wrong} to name it; got: {message}")


def leaves_the_model_untouched(case: MethodCase) -> None:
    """Also a model in the middle of its owner's work, and where the network raises midway."""
    for fails_after in (None, 0, 1, 2, 5):
        model = networks.bent_model()
        module = model.module
        assert isinstance(module, networks.Bent)
        in_use(module)
        before = NetworkState.of(module)
        module.tail.after = fails_after
        with generators_kept(case.name):
            try:
                case.explain(model, networks.views_of(2), 1)
            except (LumiscopeError, RuntimeError) as error:
                expect(
                    fails_after is not None,
                    f"expected {case.name} to explain a network in training mode; got {type(error).__name__}: {error}",
                )
        module.tail.after = None
        before.expect_same(NetworkState.of(module), f"{case.name}, with a network that raises after {fails_after},")


def says_why_a_map_shows_nothing(case: MethodCase) -> None:
    """Pictures of one colour, a dead network, a broken one: a map with its reason, or an error of lumiscope."""
    greys = {grey: np.full((*networks.SIZE, 3), grey, np.uint8) for grey in (0, 128, 255)}
    flat = [networks.view_of(pixels, f"grey {grey}") for grey, pixels in greys.items()]
    views = networks.views_of(2)
    for what, model, seen in (
        ("pictures of one colour", networks.bent_model(), flat),
        ("a dead network", networks.flat_model(0.0), views),
        ("a network of NaN", networks.flat_model(float("nan")), views),
    ):
        targets = [Target(0, model.classes[0], 0.5, 0.5)] * len(seen)
        try:
            maps = case.explain_prepared(case.prepare(model, seen), targets)
        except LumiscopeError:
            continue
        for saliency in maps:
            if not np.isfinite(saliency.values).all():
                said = "undefined" in saliency.details
                expect(said, f'expected {case.name} on {what} to say why the map is NaN, in details["undefined"]')
            elif not saliency.display().any():
                said = bool(saliency.remarks)
                expect(said, f'expected {case.name} on {what} to say why the map shows nothing, in details["blank"]')


def explains_black_boxes_or_refuses(case: MethodCase) -> None:
    """A method that looks inside says that it cannot; any other gives a map, of a model that can only predict."""
    model = networks.plain_model()

    def predict(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with torch.no_grad():
            logits: np.ndarray[Any, Any] = model.predict([networks.view_of(image, "") for image in pixels])
        return logits

    box = BlackBox(predict, model.geometry, classes=model.classes, activation="softmax", name="box")
    views = networks.views_of(2)
    if case.method.looks_inside:
        expect_refusal(lambda: case.explain(box, views), LumiscopeError, f"a black box, into which {case.name} looks,")
        return
    for saliency in case.explain(box, views):
        finite = np.isfinite(saliency.values).all()
        expect(finite, f"expected a finite map of {case.name} for a model that can only predict")


METHOD_CHECKS: tuple[Callable[[MethodCase], None], ...] = (
    says_what_it_is,
    gives_maps,
    equals_its_reference,
    is_the_same_alone_and_again,
    says_whether_it_looks_at_the_class,
    refuses_wrong_options,
    leaves_the_model_untouched,
    says_why_a_map_shows_nothing,
    explains_black_boxes_or_refuses,
)
"""What `check_method` checks, one thing each."""


def method_case(
    name: str, reference: MethodReference | None = None, options: Mapping[str, Any] | None = None
) -> MethodCase:
    """What the checks of a method get; see `check_method`."""
    registered = METHOD_REFERENCES.get(name)
    if reference is not None:
        registered = RegisteredReference(reference, options or {})
    if options is None:
        options = {} if registered is None else registered.options
    return MethodCase(METHODS[name], registered, options)


def check_method(
    name: str, reference: MethodReference | None = None, *, options: Mapping[str, Any] | None = None
) -> None:
    """Check that the attribution method `name` does all that lumiscope and its users rely on.

    `reference`: the slow, plain program in float64 that its maps must equal, (question) -> (H, W) values; None: the one
    that was registered with `@replicates`. `options`: of the method, for all checks, so that it runs a network a few
    times only; None: those of the registered reference.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a method that
    does not exist.
    """
    case = method_case(name, reference, options)
    for check in METHOD_CHECKS:
        check(case)
