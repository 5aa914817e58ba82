"""How complex an image is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumiscope.images import edge_strength, measure_complexity


def test_a_plain_picture_is_the_simplest() -> None:
    measured = measure_complexity(np.full((300, 200, 3), 90, np.uint8))
    assert (measured.segments, measured.edges, measured.entropy) == (1, pytest.approx(0, abs=1e-12), 0)
    assert measured.compression < 0.02
    assert math.isnan(measured.objects)


def test_noise_is_complex_in_every_way() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    plain = np.full((256, 256, 3), 90, np.uint8)
    for name in ("segments", "edges", "compression", "entropy"):
        assert getattr(measure_complexity(noise), name) > getattr(measure_complexity(plain), name), name
    assert measure_complexity(noise).compression == pytest.approx(3, rel=0.02), "noise cannot be compressed"


def test_two_halves_have_one_bit_and_one_edge() -> None:
    halves = np.zeros((256, 256, 3), np.uint8)
    halves[:, 128:] = 255
    measured = measure_complexity(halves)
    assert measured.entropy == pytest.approx(1)
    assert measured.segments >= 2
    # Sobel sees the step in the two columns beside it, at the full slope of 1 over √2 in either's direction.
    assert measured.edges == pytest.approx(edge_strength(halves)[128, 127] * 2 / 256)


def test_a_larger_copy_is_no_more_complex() -> None:
    small = np.random.default_rng(0).integers(0, 256, (128, 256, 3)).astype(np.uint8)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    assert measure_complexity(large) == measure_complexity(small) or measure_complexity(large).entropy == pytest.approx(
        measure_complexity(small).entropy, rel=0.01
    )


def test_objects_are_parts_of_the_mask_that_are_no_specks() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:20, 10:20] = mask[50:60, 50:60] = True
    mask[60, 60] = True  # touches the second at a corner
    mask[90, 90] = True  # 0.01 % of the image
    assert measure_complexity(np.zeros((100, 100, 3), np.uint8), mask).objects == 2


def test_an_object_is_a_thousandth_of_the_image_or_more_and_parts_at_a_corner_are_one() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10, :10] = True
    mask[20, :9] = True
    mask[30:33, :2] = mask[33:36, 2:4] = True  # 6 pixels each
    assert measure_complexity(np.zeros((100, 100, 3), np.uint8), mask).objects == 2
