"""Prompts are checked before anything is loaded."""

from __future__ import annotations

import pytest

from lumiscope.errors import UsageError
from lumiscope.scorers import load_scorer
from lumiscope.scorers.prompts import check_prompts, fill


def test_good_prompts_stay_as_they_are():
    assert check_prompts(["{}", "a photo of a {}."]) == ("{}", "a photo of a {}.")
    assert fill("{a} {}", "dog {x}") == "{a} dog {x}"


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (["a photo"], "exactly once.*'a photo' has none"),
        (["{}", "a photo of a {word}"], "'a photo of a {word}' has none"),
        (["{} and {}"], "'{} and {}' has 2"),
        ([""], "'' has none"),
        ([], "expected a list of prompts"),
        ("a photo of a {}", "expected a list of prompts"),
    ],
)
def test_bad_prompts(prompts, message):
    with pytest.raises(UsageError, match=message):
        check_prompts(prompts)


def test_they_are_refused_where_a_prompt_is_bad_or_means_nothing():
    with pytest.raises(UsageError, match="'a photo' has none"):
        load_scorer("world:clip", prompts=["a photo"])
    with pytest.raises(UsageError, match=r"masks takes no prompts \(these do: open_clip, world\)"):
        load_scorer("masks", prompts=["a photo of a {}"])
