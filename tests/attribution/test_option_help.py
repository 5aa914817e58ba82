"""The help on options is what the dataclasses say, and they say it of every option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from lumiscope.attribution import METHODS
from lumiscope.attribution.option_help import allowed, meanings, option_help, segmenter_help
from lumiscope.attribution.regions.segmenters import SEGMENTERS


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_option_has_a_meaning_and_its_default_is_allowed(method):
    chosen = METHODS[method]
    for option in option_help(chosen.options_type):
        assert len(option.meaning) > 8, option.name
        assert option.values
        names = option.values.split(" | ")
        if isinstance(option.default, str):
            assert option.default in names
        assert (option.default is None) <= ("None" in names)
        chosen.options({option.name: option.default})


def test_every_choice_that_is_named_is_taken():
    for method in METHODS.values():
        for option in option_help(method.options_type):
            if option.name in ("hide", "design", "sampling", "baseline"):
                assert len(option.values.split(" | ")) > 1
                for value in option.values.split(" | "):
                    method.options({option.name: value, **({"hide_color": 1} if value == "color" else {})})


def test_meanings_end_where_the_next_one_begins():
    text = """Options of it.

    `one`: the first; see `two`. More on
    it: also this. `two` and `three`: both of them; `four`, `one` too: no.
    `five`: unknown. `four`: (a, b).
    """
    assert meanings(text, ["one", "two", "three", "four"]) == {
        "one": "the first; see `two`. More on it: also this",
        "two": "both of them; `four`, `one` too: no. `five`: unknown",
        "three": "both of them; `four`, `one` too: no. `five`: unknown",
        "four": "(a, b)",
    }
    assert meanings("Nothing here.", ["one"]) == {}


@dataclass(frozen=True)
class Base:
    """`shared`: of all. `changed`: as it was."""

    shared: bool = False
    changed: int | None = None


@dataclass(frozen=True)
class Extended(Base):
    """`changed`: as it is now. `named`: one of two. `rest`: any."""

    named: str = field(default="a", metadata={"choices": ("a", "b")})
    rest: Mapping[str, Any] = field(default_factory=dict)


def test_help_is_inherited_and_may_be_said_anew():
    rows = [(option.name, option.values, option.default, option.meaning) for option in option_help(Extended)]
    assert rows == [
        ("shared", "True | False", False, "of all"),
        ("changed", "whole number | None", None, "as it is now"),
        ("named", "a | b", "a", "one of two"),
        ("rest", '{"name": value}', {}, "any"),
    ]


def test_values_of_types():
    assert allowed(int | Literal["auto"]) == "whole number | auto"
    assert allowed(float | tuple[float, float] | None) == "number | [number, number] | None"


def test_segmenters_are_told_with_their_options():
    told = {segmenter.name: segmenter for segmenter in segmenter_help()}
    assert list(told) == list(SEGMENTERS)
    assert told["grid"].values == "rows, columns"
    assert told["grid"].default == {"rows": 7, "columns": 7}
    assert all(segmenter.meaning for segmenter in told.values())
