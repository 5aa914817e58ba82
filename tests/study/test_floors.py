"""The smallest p-value that a permutation test can give: how many of all its arrangements are as extreme as one is."""

from __future__ import annotations

import pytest

from lumiscope.study.findings import floors


def test_floors_count_arrangements() -> None:
    assert [floors.sign_flips(3), floors.two_sided_sign_flips(3)] == [1 / 8, 2 / 8]
    assert [floors.pairings(4), floors.two_sided_ranks(4)] == [1 / 24, 2 / 24]
    assert [floors.two_sided_sign_flips(0), floors.two_sided_ranks(1)] == [1, 1], "no p-value is above 1"


@pytest.mark.parametrize(
    ("share", "images", "groups"),
    [(0.5, 6, 20), (0.34, 6, 15), (0.1, 6, 6), (0.0, 6, 6), (0.9, 6, 6), (1.0, 6, 6), (0.5, 2, 2)],
)
def test_one_of_two_groups_and_the_other_have_an_image_at_least(share: float, images: int, groups: int) -> None:
    """Of 6 images a group of 3 is chosen in 20 ways, one of 2 in 15, one of 1 or 5 in 6; either end counts."""
    assert floors.two_groups(share)(images) == min(1, 2 / groups)


def test_a_single_image_has_no_two_groups() -> None:
    assert floors.two_groups(0.5)(1) == 1
