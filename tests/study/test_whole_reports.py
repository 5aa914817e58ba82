"""Reports as a whole: where nothing is there they say nothing, and what is planted they find."""

from __future__ import annotations

import pytest

from lumiscope.runs import Outcome
from lumiscope.testing import EFFECTS, planted_study

IMAGES = (3, 6, 10, 30, 60)
PARTS = 4  # so that workers share them


@pytest.mark.parametrize("part", range(PARTS))
def test_at_most_one_null_report_in_twenty_says_something_false(part: int) -> None:
    """25 of 100 reports; 5 % of 25 are 1.25, and 5 or more have a probability below 0.01."""
    false = []
    for seed in range(part, 100, PARTS):
        effects = ("related",) if seed % 2 else ()
        study = planted_study(seed, IMAGES[seed % len(IMAGES)], effects, clustered=seed % 3 == 0)
        false += [[row.claim for row in study.false_sentences]] if study.false_sentences else []
    assert len(false) < 5, false


@pytest.mark.parametrize("effect", [effect for effect in EFFECTS if effect != "related"])
def test_what_is_planted_is_found(effect: str) -> None:
    """With a power of 80 % all of three studies lack it with a probability of 0.008."""
    studies = [planted_study(1000 + seed, 100, ("related", effect)) for seed in range(3)]
    found = set.union(*(study.supported for study in studies))
    assert EFFECTS[effect].keys() <= found
    assert EFFECTS["related"].keys() <= studies[0].supported


def test_three_images_can_tell_nothing() -> None:
    tested = [row for row in planted_study(0, 3).findings if row.p_value is not None and row.images is not None]
    assert {row.outcome for row in tested} == {Outcome.CANNOT_TELL}
