"""What a user may say of a model, at the edges of what is taken."""

from __future__ import annotations

import pytest

from lumiscope.errors import UsageError
from lumiscope.models.options import LARGEST_SIDE, band_numbers, channel_numbers, check_normalisation, height_width


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, None), (1, (1, 1)), (224, (224, 224)), ([96], (96, 96)), ((1, 8192), (1, 8192)), ([8192, 1], (8192, 1))],
)
def test_an_input_size(given, expected):
    assert height_width(given) == expected


@pytest.mark.parametrize("given", [0, -1, [], [0], [0, 5], [5, 0], [-3, 224], [3, 224, 224]])
def test_no_input_size(given):
    with pytest.raises(UsageError, match="expected an input size as one number or height and width; got"):
        height_width(given)


@pytest.mark.parametrize("given", [8193, [1, 8193], [8193, 1]])
def test_an_input_size_has_a_bound(given):
    assert LARGEST_SIDE == 8192
    with pytest.raises(UsageError, match="at most 8,192 pixels a side"):
        height_width(given)


def test_bands_are_counted_from_0_and_three_are_shown():
    assert band_numbers(None, "bands") is None
    assert band_numbers([0], "bands") == (0,)
    assert band_numbers([7, 0, 3, 1], "bands") == (7, 0, 3, 1)
    assert band_numbers([2, 0, 2], "shown_bands") == (2, 0, 2)
    for wrong in ([], [-1], [3, -1, 0]):
        with pytest.raises(UsageError, match="expected bands as numbers of bands, from 0"):
            band_numbers(wrong, "bands")
    for wrong in ([], [0, 1], [0, 1, 2, 3], [0, 1, -2]):
        with pytest.raises(UsageError, match="expected shown_bands as three numbers of bands, from 0"):
            band_numbers(wrong, "shown_bands")


def test_a_spread_is_above_0_and_a_mean_need_not_be():
    assert channel_numbers(None, "std") is None
    assert channel_numbers(0.5, "std") == (0.5,)
    assert channel_numbers([1, 2], "std") == (1.0, 2.0)
    assert channel_numbers([0, -1], "mean") == (0.0, -1.0)
    for what, wrong in (("std", 0), ("std", [1, 0]), ("std", [-0.1, 2]), ("std", []), ("mean", [])):
        with pytest.raises(UsageError, match=f"expected numbers for {what}"):
            channel_numbers(wrong, what)


@pytest.mark.parametrize(("mean", "std"), [(None, None), ((0, 0.5, 1), (1, 0.2, 0.001)), (None, (1,))])
def test_what_pixels_between_0_and_1_can_have(mean, std):
    check_normalisation(mean, std)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((1.01,), None, r"expected mean of .*got 1\.01\.$"),
        ((51,), None, r"expected mean of .*got 51\. Of pixels in \[0, 255\], .*: --mean 0\.2$"),
        ((-0.01,), None, r"expected mean of .*got -0\.01\.$"),
        ((0.5,), (1.01,), r"expected std of .*got 1\.01\.$"),
        ((0.5,), (51,), r"expected std of .*got 51\. .*: --mean 0\.5 --std 0\.2$"),
        ((255,), (0.2,), r"got 255\. .*: --mean 1 --std 0\.2$"),
        ((255,), (51,), r"got 255\. .*: --mean 1 --std 0\.2$"),
        ((256,), None, r"got 256\.$"),
        ((float("nan"),), None, r"got nan\.$"),
    ],
)
def test_what_they_cannot_have(mean, std, message):
    with pytest.raises(UsageError, match=message):
        check_normalisation(mean, std)
