"""Scores: derived by hand where that can be done, the same each time, and nothing taken on trust."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.server.baselines import baselines_of, write_baselines
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins import template
from lumiscope.server.scoring import (
    REJECTED,
    SCORED,
    Scores,
    score_parts,
    score_upload,
    scorer_fingerprint,
    truth_parts,
)

Npz = Callable[..., bytes]


def verdict(challenge: Challenge, name: str, content: bytes, only: list[str] | None = None) -> dict[str, Any]:
    request = {"challenge": str(challenge.folder), "name": name, "only": only}
    return score_upload(request, content, challenge.truths(only))


def without_seconds(found: dict[str, Any]) -> str:
    for scores in (*found["scores"]["images"], found["scores"]["mean"]):
        del scores["seconds_cpu"]
    return json.dumps(found)


def test_masks_score_what_they_overlap(challenge: Challenge, npz: Npz) -> None:
    """The truth itself, its upper part, nothing, and all of the view (the view of the world is the picture)."""
    truths = challenge.truths()
    masks = dict(truths)
    half = truths["picture-02"].copy()
    half[half.nonzero()[0].mean().astype(int) :] = False
    masks["picture-02"] = half
    masks["picture-03"] = np.zeros((128, 128), np.bool_)
    masks["picture-04"] = np.ones((128, 128), np.bool_)
    scores = Scores.from_json(verdict(challenge, "m.npz", npz(masks))["scores"], challenge).images
    share = half.sum() / truths["picture-02"].sum()
    areas = truths["picture-02"].mean(), half.mean()
    chance = areas[0] * areas[1] / (sum(areas) - areas[0] * areas[1])
    assert [score.iou for score in scores] == pytest.approx([1, share, 0, truths["picture-04"].mean()], abs=1e-6)
    assert [score.adjusted for score in scores] == pytest.approx(
        [1, (share - chance) / (share - chance), 0, 0], abs=1e-6
    )
    assert [score.reason for score in scores][:3] == ["", "", "mask a is empty"]
    assert "covers the whole view" in scores[3].reason
    assert {score.faithfulness for score in scores} == {score.passes for score in scores} == {None}


def test_maps_are_cut_at_half_their_maximum(challenge: Challenge, npz: Npz) -> None:
    maps = {name: np.where(mask, 0.5, 0.49) for name, mask in challenge.truths().items()}
    maps = {
        name: np.where(np.arange(128 * 128).reshape(128, 128) == truth_pixel(challenge, name), 1.0, values)
        for name, values in maps.items()
    }
    scores = Scores.from_json(verdict(challenge, "m.npz", npz(maps))["scores"], challenge)
    assert scores.means.iou == 1
    assert all(isinstance(score.faithfulness, float) for score in scores.images)


def truth_pixel(challenge: Challenge, name: str) -> int:
    return int(challenge.truth(name).argmax())


def test_parameters_score_the_same_each_time_and_tell_what_they_cost(
    challenge: Challenge, parameters: Callable[..., bytes]
) -> None:
    content = parameters({"num_samples": 60, "num_features": 3}, **{"picture-02": {"gradcam": {}}})
    public = ["picture-02", "picture-03"]
    first = verdict(challenge, "p.json", content, public)
    assert first["state"] == SCORED
    assert [image["passes"] for image in first["scores"]["images"]] == [1, 61]
    parts = {"upload": content, **truth_parts(challenge, public)}
    request = {"challenge": str(challenge.folder), "name": "p.json", "only": public}
    told: list[tuple[int, int]] = []
    again = score_parts(request, parts, lambda done, total: told.append((done, total)))
    assert without_seconds(first) == without_seconds(again)
    assert told == [(1, 2), (2, 2)]
    assert first["scorer"] == {"version": 1, "fingerprint": scorer_fingerprint()}


def test_more_passes_than_allowed_are_refused_before_they_are_run(
    challenge: Challenge, parameters: Callable[..., bytes]
) -> None:
    import dataclasses

    from lumiscope.server.hand_ins import HandInRefused, read_hand_in
    from lumiscope.server.scoring import score

    strict = dataclasses.replace(challenge, limits=dataclasses.replace(challenge.limits, passes=50))
    hand_in = read_hand_in("p.json", parameters({"num_samples": 50}), strict)
    with pytest.raises(HandInRefused, match=r"picture-01: lime: expected at most 50 pictures .*; got 51"):
        score(strict, hand_in, challenge.truths())


def test_a_faulty_file_is_rejected_with_its_faults(challenge: Challenge) -> None:
    found = verdict(challenge, "p.json", b"{}")
    assert found["state"] == REJECTED
    assert found["faults"] == [
        {"where": name, "expected": "an entry for every image", "came": "none"} for name in challenge.names
    ]


def test_a_missing_truth_is_our_fault(challenge: Challenge, npz: Npz) -> None:
    content = npz(challenge.truths())
    request = {"challenge": str(challenge.folder), "name": "m.npz"}
    with pytest.raises(UsageError, match="true mask of every image"):
        score_upload(request, content, challenge.truths(["picture-01"]))


GOOD = {"iou": 0.5, "adjusted": 0.1, "faithfulness": None, "passes": 3, "seconds_cpu": 0.5, "reason": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"iou": math.nan},
        {"iou": 1.1},
        {"iou": "high"},
        {"adjusted": math.inf},
        {"faithfulness": -1e9},
        {"passes": -1},
        {"seconds_cpu": math.nan},
        {"reason": "x" * 501},
        {"name": "picture-05"},
        {"more": 1},
        {"iou": None},
    ],
)
def test_numbers_of_a_child_are_checked(wrong: dict[str, Any], challenge: Challenge) -> None:
    good = [{"name": name, **GOOD} for name in challenge.names]
    means = Scores.from_json({"images": good, "mean": {"iou": 1.0}}, challenge).means
    assert (means.iou, means.passes, means.faithfulness, means.images) == (0.5, 3, None, 4)
    with pytest.raises(UsageError):
        Scores.from_json({"images": [*good[:3], good[3] | wrong]}, challenge)


@pytest.mark.parametrize("content", [{}, {"images": "all"}, {"images": [1]}, [], {"images": [{"name": "picture-01"}]}])
def test_what_is_no_scores_is_refused(content: Any, challenge: Challenge) -> None:
    with pytest.raises(UsageError):
        Scores.from_json(content, challenge)
    good = [{"name": name, **GOOD} for name in challenge.names]
    for images in (good[::-1], [*good, good[0]], [good[0], good[0]]):
        with pytest.raises(UsageError):
            Scores.from_json({"images": images}, challenge)


def test_baselines_are_hand_ins_and_the_best_beats_those_that_know_nothing(challenge: Challenge) -> None:
    import dataclasses

    light = dataclasses.replace(challenge, methods=("gradcam",))
    written = write_baselines(light)
    assert (
        [baseline.name for baseline in written]
        == ["random", "centred", "best"]
        == [baseline.name for baseline in baselines_of(challenge)]
    )
    ious = {
        baseline.name: verdict(challenge, baseline.path.name, baseline.path.read_bytes())["scores"]["mean"]["iou"]
        for baseline in written
    }
    assert ious["best"] > ious["centred"] > 0
    assert ious["best"] > ious["random"]
    assert json.loads(written[-1].path.read_bytes()) == json.loads(template(light, "gradcam"))


def test_a_verdict_says_whether_it_is_better_than_chance(challenge: Challenge, npz: Npz) -> None:
    good = Scores.from_json({"images": [{"name": name, **GOOD} for name in challenge.names]}, challenge)
    assert good.better_than_chance == 1 / 2**4
    assert "no better than" in good.verdict()
    assert "too few images" in good.of(["picture-01"]).verdict()
    assert good.of([]).verdict() == "Nothing was scored."
