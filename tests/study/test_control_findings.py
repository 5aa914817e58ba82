"""What is said of units beside those of random networks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumiscope.runs import ControlRow, FindingRow, LayerRow, LowLevelRow, Outcome
from lumiscope.study.findings import find
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row


def units(seed: int | None, partial: list[float], clusters: list[int] | None = None, layer: str = "l"):
    return [
        fake_row(
            LowLevelRow,
            model="m",
            layer=layer,
            seed=seed,
            unit=unit,
            label="dog",
            cluster=unit if clusters is None else clusters[unit],
            partial_correlation=value,
            survives=None if math.isnan(value) else value > 0.3,
        )
        for unit, value in enumerate(partial)
    ]


def finding(name: str, *rows: list) -> FindingRow:
    tables = Tables()
    for group in rows:
        tables.write(type(group[0]), group)
    (row,) = (row for row in find(tables) if row.finding == name)
    return row


def test_labelled_units_stand_beside_those_of_random_networks() -> None:
    layers = [fake_row(LayerRow, model="m", layer=name, units=20, labelled=9) for name in ("l", None)]
    controls = [
        fake_row(ControlRow, model="m", layer="l", seed=seed, units=20, labelled=7 + seed) for seed in (0, 1, 2)
    ]
    row = finding("random_networks", layers, controls)
    assert row.claim == "m: units with a label, in brackets with random weights instead: l 9 of 20 (7, 8, 9)."
    assert row.value == pytest.approx((9 - 8) / 20)
    assert row.outcome == Outcome.OBSERVED


def test_a_lead_over_every_random_network_is_shown() -> None:
    rows = units(None, [0.8] * 20) + [row for seed in range(3) for row in units(seed, [0.1 * seed] * 20)]
    row = finding("beyond_random", rows)
    assert row.outcome == Outcome.SUPPORTED
    assert row.claim.endswith("of the variance, in brackets with random weights: l 64% (0%, 1%, 4%).")
    assert row.value == pytest.approx(0.64 - 0.04)
    assert row.p_value == pytest.approx(1 / 10_001), "no deal of 20 of 80 clusters has as large a difference"


def test_one_random_network_that_does_as_well_is_enough() -> None:
    rows = units(None, [0.8] * 20) + units(0, [0.0] * 20) + units(1, [0.0] * 20) + units(2, [0.8] * 20)
    row = finding("beyond_random", rows)
    assert (row.outcome, row.p_value, row.value) == (Outcome.UNDECIDED, 1, 0)


def test_units_beyond_every_random_one_are_named() -> None:
    """Random units reach 0.5; of the model's, 0.9 and 0.6 are beyond, a negative one and one of 0.5 are not."""
    rows = units(None, [0.5, 0.9, -0.95, 0.6]) + units(0, [0.5, 0.1]) + units(1, [-0.99])
    row = finding("units_beyond_random", rows)
    assert row.claim.endswith("is explained by its own: l 2 of 4 (most of all 1 dog, 3 dog).")
    assert (row.value, row.outcome) == (0.5, Outcome.OBSERVED)


def test_clusters_count_and_not_units() -> None:
    """200 units that respond alike are one cluster: of 4, one has all that there is, which is 1 in 4 by chance."""
    rows = units(None, [0.9] * 200, [0] * 200)
    rows += [row for seed in range(3) for row in units(seed, [0.0] * 200, [0] * 200)]
    assert finding("beyond_random", rows).p_value == pytest.approx(0.25, abs=0.02)


def test_a_lead_of_less_than_a_hundredth_of_the_variance_is_none() -> None:
    rows = units(None, [0.09] * 400) + [row for seed in range(3) for row in units(seed, [0.0] * 400)]
    assert finding("beyond_random", rows).outcome == Outcome.UNDECIDED


def test_too_few_images_cannot_tell() -> None:
    rows = [row for seed in (None, 0, 1, 2) for row in units(seed, [math.nan] * 5)]
    assert finding("beyond_random", rows).outcome == Outcome.CANNOT_TELL


def test_networks_of_one_kind_are_seldom_told_apart() -> None:
    """Of 60 untrained networks beside three others, with clustered units: at most 1 in 20, give or take."""
    random, false = np.random.default_rng(0), 0
    for _ in range(60):
        rows = []
        for seed in (None, 0, 1, 2):
            clusters = random.integers(0, 12, 40)
            level = np.abs(random.normal(0.2, 0.25, 12))
            rows += units(seed, list(level[clusters]), list(map(int, clusters)))
        false += finding("beyond_random", rows).outcome == Outcome.SUPPORTED
    assert false <= 6
