"""What a planted study holds is what it says, and a sentence that names another thing is false."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lumiscope.agreement import measure_map
from lumiscope.testing import planted_effects, planted_studies, planted_study
from lumiscope.testing.planted_effects import EFFECTS, TITLES, Truth, true_findings

IMAGES = 400


def test_a_sentence_that_names_the_wrong_method_is_false() -> None:
    study = planted_study(1000, 100, ("related", "focused"))
    assert {"focused", "sharpest"} <= study.supported
    assert not study.false_sentences
    other = replace(study, true={**study.true, "focused": Truth(frozenset({"LIME"}))})
    assert {row.finding for row in other.false_sentences} == {"focused"}
    assert "focused" not in other.supported


def test_what_is_true_of_one_model_is_not_true_of_the_other() -> None:
    depth = EFFECTS["units"]["depth"]
    assert depth.holds("b: with depth, labels of the category place grow.", ["place"])
    assert not depth.holds("a: with depth, labels of the category place grow.", ["place"])


def test_methods_that_are_planted_apart_are_not_as_good() -> None:
    """Of six pairs those with the method that covers the masks best are not; of all effects what all leave."""
    assert len(planted_effects.PAIRS) == 6
    assert true_findings(())["as_good"] == true_findings(["related", "focused"])["as_good"]
    as_good = true_findings(["related", "cover"])["as_good"]
    assert as_good.holds("", ["Ablation-CAM and Score-CAM", "Ablation-CAM and LIME", "Score-CAM and LIME"])
    assert not any(as_good.holds("", [f"Grad-CAM and {other}"]) for other in TITLES[1:])
    both = true_findings(["cover", "pair"])["as_good"]
    assert both.names == {"Score-CAM and LIME"}


def ious(masks: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (masks & others).sum((1, 2)) / (masks | others).sum((1, 2))


@pytest.mark.parametrize("effect", ["pair", "cover", "focused", "broadest", "sharpest"])
def test_the_candidate_at_an_end_is_half_a_deviation_ahead(effect: str) -> None:
    """Cohen's d of the paired differences; of 400 images its standard error is 0.053."""
    rng, classes = np.random.default_rng(0), np.arange(IMAGES)
    places, trouble = planted_studies._places(rng, classes), np.zeros(IMAGES)
    maps = planted_studies._maps(rng, places, classes, trouble, "a", ("related", effect))
    masks = {title: np.stack(maps[name]) >= 0.5 for title, name in zip(TITLES, maps, strict=True)}
    truths = np.stack([planted_studies._blob(place, 0.2) >= 0.5 for place in places])
    if effect == "pair":
        values = {pair: ious(*(masks[title] for title in pair.split(" and "))) for pair in planted_effects.PAIRS}
        del values["Score-CAM and LIME"]  # the two that the effect leaves furthest apart
    elif effect == "cover":
        values = {title: ious(of_method, truths) for title, of_method in masks.items()}
    else:
        column = "sharpness" if effect == "sharpest" else "extent"
        sign = -1 if effect == "focused" else 1
        values = {
            title: sign * np.array([getattr(measure_map(shown, truths[0]), column) for shown in maps[name]])
            for title, name in zip(TITLES, maps, strict=True)
        }
    first = next(name for truth in EFFECTS[effect].values() for name in truth.names)
    assert first == max(values, key=lambda name: values[name].mean())
    for rival in values.keys() - {first}:
        ahead = values[first] - values[rival]
        assert ahead.mean() / ahead.std() == pytest.approx(0.5, abs=0.16)
