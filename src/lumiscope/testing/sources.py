"""What every model source must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lumiscope.errors import LumiscopeError, UnknownNameError
from lumiscope.images import View
from lumiscope.models import SOURCES, BlackBox, Source, TorchModel, find_source, load_model
from lumiscope.specs import change_paths
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_refusal
from lumiscope.testing._untouched import generators_kept

PICTURES = 3


@dataclass(frozen=True)
class SourceCase:
    """A model source that is checked by one of its models. `weights`: as for `load_model`."""

    spec: str
    weights: str | None

    @property
    def source(self) -> Source:
        """What is registered for its specs."""
        return find_source(self.spec)[0]

    def load(self) -> TorchModel | BlackBox:
        """The model, loaded anew."""
        return load_model(self.spec, weights=self.weights)


def says_what_it_is(case: SourceCase) -> None:
    """A form that begins with the scheme, and paths that are parts of the spec."""
    source = case.source
    expect(SOURCES[source.scheme] is source, f"expected the source {source.scheme} to be registered under its scheme")
    starts = source.form.startswith(f"{source.scheme}:")
    expect(starts, f"expected a form that begins with {source.scheme}:; got {source.form}")
    marked = change_paths(case.spec, SOURCES, lambda path: f"<{path}>")
    unmarked = marked.replace("<", "").replace(">", "")
    expect(unmarked == case.spec, f"expected paths to be parts of {case.spec}; got {marked}")


def lists_names_that_can_be_loaded(case: SourceCase) -> None:
    """Where it lists what there is: each once, by wildcards, and a name that is nearly right is told."""
    source = case.source
    if not source.listed:
        return
    names = source.names("*")
    expect(names, f"expected {source.scheme} to list its models, or none of them ever")
    expect(len(set(names)) == len(names), f"expected {source.scheme} to list each model once")
    expect(not source.names("no*such"), f"expected no model of {source.scheme} to match no*such")
    first = names[0]
    expect(first in source.names(f"{first[:3]}*"), f"expected {first[:3]}* to match {first} of {source.scheme}")
    wrong = f"{source.scheme}:{first}x"
    message = expect_refusal(lambda: load_model(wrong), UnknownNameError, wrong)
    expect("did you mean" in message, f"expected the refusal of {wrong} to name the nearest; got: {message}")


def gives_a_model_that_predicts(case: SourceCase) -> None:
    """(N, classes) finite scores of pictures, each by itself; a network comes in evaluation mode."""
    with generators_kept(case.spec):
        model = case.load()
    views = _views(model)
    logits = model.predict(views)
    expected = (len(views), len(model.classes))
    expect(logits.shape == expected, f"expected {expected} scores of {case.spec}; got {logits.shape}")
    expect(np.isfinite(logits).all(), f"expected finite scores of {case.spec}")
    alone = np.concatenate([model.predict([view]) for view in views])
    near = np.allclose(alone, logits, rtol=1e-3, atol=1e-4 * np.abs(logits).max())
    expect(near, f"expected a picture's scores by {case.spec} not to depend on the others")
    expect(model.spec == case.spec, f"expected the model to say its spec, {case.spec}; got {model.spec}")
    if isinstance(model, TorchModel):
        modes = {part.training for part in model.module.modules()}
        expect(modes == {False}, f"expected the network of {case.spec} in evaluation mode")


def gives_the_same_model_every_time(case: SourceCase) -> None:
    """The same fingerprint and the same scores."""
    model, again = case.load(), case.load()
    expect(model.fingerprint == again.fingerprint, f"expected {case.spec} to have the same fingerprint every time")
    views = _views(model)
    expect(
        np.array_equal(model.predict(views), again.predict(views)), f"expected {case.spec} to predict the same again"
    )


def refuses_what_it_cannot_do(case: SourceCase) -> None:
    """A spec that names nothing, and an option that it does not know."""
    for rest in ("there-is-no-such-model", "./no/such/thing"):
        spec = f"{case.source.scheme}:{rest}"
        expect_refusal(partial(load_model, spec), LumiscopeError, f"the spec {spec}")
    wrong = {"there_is_no_such_option": 1}
    expect_refusal(
        lambda: load_model(case.spec, weights=case.weights, model_options=wrong),
        LumiscopeError,
        f"an option that {case.spec} does not know",
    )


def _views(model: TorchModel | BlackBox) -> list[View]:
    size = model.geometry.input_size
    return [networks.view_of(networks.picture(number, size), f"picture {number}") for number in range(PICTURES)]


SOURCE_CHECKS: tuple[Callable[[SourceCase], None], ...] = (
    says_what_it_is,
    lists_names_that_can_be_loaded,
    gives_a_model_that_predicts,
    gives_the_same_model_every_time,
    refuses_what_it_cannot_do,
)
"""What `check_source` checks, one thing each."""


def source_case(spec: str, *, weights: str | None = None) -> SourceCase:
    """What the checks of a source get; see `check_source`."""
    return SourceCase(spec, weights)


def check_source(spec: str, *, weights: str | None = None) -> None:
    """Check that the source of the model `spec` does all that lumiscope and its users rely on.

    `weights`: as for `load_model`; "random" where the source's own would have to be fetched.

    Raises AssertionError with a sentence that says what was expected and what came, and whatever `load_model` raises.
    """
    case = source_case(spec, weights=weights)
    for check in SOURCE_CHECKS:
        check(case)
