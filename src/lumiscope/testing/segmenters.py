"""What every segmenter must do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lumiscope.attribution import SEGMENTERS, Segmenter, segment_view
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import View
from lumiscope.testing import _networks as networks
from lumiscope.testing._expect import expect, expect_refusal
from lumiscope.testing._option_values import CANDIDATES, is_of

SIZES = ((48, 64), (33, 20))


@dataclass(frozen=True)
class SegmenterCase:
    """A segmenter that is checked."""

    segmenter: Segmenter

    @property
    def name(self) -> str:
        """The segmenter's."""
        return self.segmenter.name


def view(size: tuple[int, int]) -> View:
    """A view with something to cut."""
    return networks.view_of(networks.picture(1, size), "picture")


def says_what_it_is(case: SegmenterCase) -> None:
    """A sentence about it, and options that have defaults."""
    expect(inspect.getdoc(case.segmenter.function), f"expected the function of {case.name} to have a docstring")
    bare = [name for name, default in case.segmenter.defaults.items() if default is inspect.Parameter.empty]
    expect(not bare, f"expected every option of {case.name} to have a default; these have none: {', '.join(bare)}")
    case.segmenter.check(case.segmenter.defaults)


def numbers_segments_without_gaps(case: SegmenterCase) -> None:
    """(H, W) whole numbers 0..d-1, each on at least one pixel; the view stays as it was."""
    for size in SIZES:
        seen = view(size)
        before = seen.pixels.copy()
        segments = segment_view(seen, case.name, {})
        expect(segments.shape == size, f"expected segments of {case.name} of shape {size}; got {segments.shape}")
        expect(segments.dtype == np.int64, f"expected int64 segments of {case.name}; got {segments.dtype}")
        present = np.unique(segments)
        gapless = np.array_equal(present, np.arange(len(present)))
        expect(gapless, f"expected {case.name} to number segments from 0 without gaps; got {present.tolist()}")
        expect(np.array_equal(seen.pixels, before), f"expected {case.name} to leave the view as it was")


def cuts_the_same_every_time(case: SegmenterCase) -> None:
    """Whatever was drawn from the global generators before."""
    for size in SIZES:
        first = case.segmenter.function(view(size).pixels)
        np.random.random(7)  # noqa: NPY002 - what a segmenter must not depend on
        again = case.segmenter.function(view(size).pixels)
        expect(np.array_equal(first, again), f"expected {case.name} to cut a view of {size} the same way again")


def takes_pictures_of_one_colour(case: SegmenterCase) -> None:
    """At least one segment, or an error of lumiscope."""
    flat = networks.view_of(np.full((24, 32, 3), 200, np.uint8), "flat")
    try:
        segments = segment_view(flat, case.name, {})
    except UsageError:
        return
    expect(segments.min() == 0, f"expected {case.name} to cut a picture of one colour into one segment or more")


def refuses_wrong_options(case: SegmenterCase) -> None:
    """Options that it has not, and values of another type."""
    for name, default in case.segmenter.defaults.items():
        message = expect_refusal(
            partial(case.segmenter.check, {f"{name}x": 1}),
            UnknownNameError,
            f"the option {name}x, which {case.name} has not,",
        )
        expect(f"did you mean {name}" in message, f"expected the refusal to name the nearest, {name}; got: {message}")
        for value in (value for value in CANDIDATES if not is_of(value, type(default))):
            what = f"{name}={value!r} of {case.name}"
            message = expect_refusal(partial(case.segmenter.check, {name: value}), UsageError, what)
            expect(name in message, f"expected the refusal of {what} to name the option; got: {message}")


SEGMENTER_CHECKS: tuple[Callable[[SegmenterCase], None], ...] = (
    says_what_it_is,
    numbers_segments_without_gaps,
    cuts_the_same_every_time,
    takes_pictures_of_one_colour,
    refuses_wrong_options,
)
"""What `check_segmenter` checks, one thing each."""


def segmenter_case(name: str) -> SegmenterCase:
    """What the checks of a segmenter get; see `check_segmenter`."""
    return SegmenterCase(SEGMENTERS[name])


def check_segmenter(name: str) -> None:
    """Check that the segmenter `name` does all that lumiscope and its users rely on.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a segmenter
    that does not exist.
    """
    case = segmenter_case(name)
    for check in SEGMENTER_CHECKS:
        check(case)
