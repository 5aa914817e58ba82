"""What every mask rule must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lumiscope.agreement import MASK_RULES, RegisteredRule, make_mask, parse_rule
from lumiscope.errors import UsageError
from lumiscope.testing._expect import expect, expect_refusal
from lumiscope.types import BoolArray, DoubleArray, SaliencyMap, SegmentMap, Target

SEGMENTS = 6


@dataclass(frozen=True)
class MaskRuleCase:
    """A kind of rule that is checked, as its form writes it."""

    rule: RegisteredRule

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name

    def mask(self, coefficients: DoubleArray) -> BoolArray:
        """The mask of a map made of six segments with these coefficients."""
        return make_mask(map_of(coefficients), self.rule.form)


def map_of(coefficients: DoubleArray) -> SegmentMap:
    """(12, 8) map of six segments, two rows each."""
    segments = np.repeat(np.arange(SEGMENTS), 2)[:, None].repeat(8, axis=1)
    return SegmentMap(
        item_id="picture",
        method="lime",
        target=Target(0, "a", 1.0, 0.5),
        values=coefficients[segments].astype(np.float32),
        segments=segments,
        coefficients=coefficients,
        options={"num_features": SEGMENTS},
    )


def is_written_as_it_is_read(case: MaskRuleCase) -> None:
    """The form is canonical, and a number too many, or one that is missing or out of range, is refused."""
    parsed = parse_rule(case.rule.form)
    expect(parsed.name == case.name, f"expected the form {case.rule.form} to begin with {case.name}")
    expect(str(parsed) == case.rule.form, f"expected {case.rule.form} to be written as it is read; got {parsed}")
    expect(parse_rule(str(parsed)) == parsed, f"expected {parsed} to read back as the same rule")
    wrong = [case.name, f"{case.name}:0", f"{case.name}:1.5", f"{case.name}:x"]
    for text in wrong if case.rule.has_fraction else [f"{case.name}:0.5"]:
        expect_refusal(partial(parse_rule, text), UsageError, f"the mask rule {text}")


def gives_a_mask_of_the_map(case: MaskRuleCase) -> None:
    """(H, W) bool, neither nothing nor everything of a map that rises; the map stays as it was."""
    saliency = map_of(np.linspace(-0.5, 1, SEGMENTS))
    before = saliency.values.copy()
    mask = make_mask(saliency, case.rule.form)
    expect(mask.dtype == np.bool_, f"expected a bool mask of {case.name}; got {mask.dtype}")
    expect(mask.shape == before.shape, f"expected a mask of {case.name} of shape {before.shape}; got {mask.shape}")
    expect(mask.any() and not mask.all(), f"expected {case.name} to keep a part of a map that rises from -0.5 to 1")
    highest = before == before.max()
    expect((mask & highest).any(), f"expected {case.name} to keep pixels with the highest value")
    expect(np.array_equal(saliency.values, before), f"expected {case.name} to leave the map as it was")


def keeps_nothing_where_nothing_can_be_told(case: MaskRuleCase) -> None:
    """A map of zeros and one with NaN give an empty mask."""
    maps = {"zeros": np.zeros(SEGMENTS), "NaN": np.array([np.nan, *range(1, SEGMENTS)])}
    for what, coefficients in maps.items():
        expect(not case.mask(coefficients).any(), f"expected an empty mask by {case.name} of a map with {what}")


def fits_the_maps_that_it_says(case: MaskRuleCase) -> None:
    """A map without segments is refused by a rule that needs them, in words; any other rule takes it."""
    segmented = map_of(np.linspace(-0.5, 1, SEGMENTS))
    plain = SaliencyMap(segmented.item_id, "mine", segmented.target, segmented.values)
    if case.rule.needs_segments:
        what = f"a map without segments by {case.name}"
        message = expect_refusal(lambda: make_mask(plain, case.rule.form), UsageError, what)
        expect("segments" in message, f"expected the refusal to say that segments are missing; got: {message}")
    else:
        make_mask(plain, case.rule.form)


MASK_RULE_CHECKS: tuple[Callable[[MaskRuleCase], None], ...] = (
    is_written_as_it_is_read,
    gives_a_mask_of_the_map,
    keeps_nothing_where_nothing_can_be_told,
    fits_the_maps_that_it_says,
)
"""What `check_mask_rule` checks, one thing each."""


def mask_rule_case(name: str) -> MaskRuleCase:
    """What the checks of a mask rule get; see `check_mask_rule`."""
    return MaskRuleCase(MASK_RULES[name])


def check_mask_rule(name: str) -> None:
    """Check that the mask rule `name` does all that lumiscope and its users rely on.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a rule that
    does not exist.
    """
    case = mask_rule_case(name)
    for check in MASK_RULE_CHECKS:
        check(case)
