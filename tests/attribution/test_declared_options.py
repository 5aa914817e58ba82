"""Options that declare what they may be: the check, its words, and the help that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from lumiscope.attribution.declared_options import bounds_in_words, check_declared, option
from lumiscope.attribution.option_help import option_help
from lumiscope.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class Options:
    """`count`: one. `share`: two. `colour`: three. `width`: four. `kind`: five. `free`: six."""

    count: int | str | None = option(3, at_least=2)
    share: float = option(0.5, above=0, below=1)
    colour: int | tuple[int, int, int] | None = option(None, at_least=0, at_most=255)
    width: float = option(1.0, above=0)
    kind: str = option("a", choices=("a", "b"))
    free: float = math.inf


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"count": 2},
        {"count": None},
        {"count": "auto"},
        {"colour": 0},
        {"colour": (0, 255, 7)},
        {"share": 1e-9},
        {"kind": "b"},
        {"free": math.nan},
    ],
)
def test_what_is_within_bounds_passes(given):
    check_declared(Options(**given), "mine")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 1}, "mine: expected count of at least 2; got 1"),
        ({"share": 0}, "mine: expected share between 0 and 1; got 0"),
        ({"share": 1.0}, "mine: expected share between 0 and 1; got 1.0"),
        ({"share": math.nan}, "mine: expected share between 0 and 1; got nan"),
        ({"colour": 256}, "mine: expected colour from 0 to 255; got 256"),
        ({"colour": (0, -1, 0)}, r"mine: expected colour from 0 to 255; got \(0, -1, 0\)"),
        ({"width": 0.0}, "mine: expected width above 0; got 0.0"),
        ({"width": math.inf}, "mine: expected width above 0; got inf"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(given, message):
    with pytest.raises(UsageError, match=f"^{message}$"):
        check_declared(Options(**given), "mine")


def test_another_choice_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown kind of mine 'A': did you mean a"):
        check_declared(Options(kind="A"), "mine")


def test_bounds_in_words():
    assert bounds_in_words({"at_most": 4, "above": 1}) == "above 1 and of at most 4"
    assert bounds_in_words({"choices": ("a",)}) == ""


def test_the_help_tells_the_bounds():
    values = {row.name: row.values for row in option_help(Options)}
    assert values == {
        "count": "whole number of at least 2 | text | None",
        "share": "number between 0 and 1",
        "colour": "whole number from 0 to 255 | [whole number, whole number, whole number] | None",
        "width": "number above 0",
        "kind": "a | b",
        "free": "number",
    }
