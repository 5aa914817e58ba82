"""The smallest p-value that a permutation test can give: how many of all its arrangements are as extreme as one is."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.statistics import equivalence_test
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


def test_pairings_of_classes_are_those_within_and_between_equal_ones() -> None:
    """Classes of 3, 2 and 1 keep their places: 3! 2! orders; two of 2 change theirs, too: 2! 2! 2!. Of others n!."""
    assert floors.pairings_in(["a", "a", "a", "b", "b", "c"])(6) == pytest.approx(1 / 12)
    assert floors.pairings_in(["a", "a", "b", "b"])(4) == pytest.approx(1 / 8)
    assert floors.pairings_in(["a", "b", "c"])(3) == 1 / 6
    assert floors.pairings_in(["a", "a", "b", "b"])(3) == 1 / 6, "which three of the four is not known"


def test_few_images_cannot_show_that_methods_are_as_good() -> None:
    """Beta(1/2, n) beyond 0.05, here by its series: for n = 10 about 0.31, for 14 about 0.23; then a spread speaks."""
    assert [floors.equivalence(images) for images in (0, 2, 15, 100)] == [1, 1, 0, 0]
    for images in (3, 10, 14):
        x = np.linspace(0, 1, 2_000_001)[1:-1]
        density = (1 - x) ** (images - 1) / np.sqrt(x)
        assert floors.equivalence(images) == pytest.approx(density[x >= 0.05].sum() / density.sum(), abs=2e-3)
        zeros = equivalence_test([0.0] * images, 0.05, bounds=(-1, 1))
        assert floors.equivalence(images) == pytest.approx(zeros.p_value, abs=0.01)
