"""Tests over the same images draw once, within bounds, and what is kept changes no p-value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lumiscope.statistics import _kept_draws as kept_draws
from lumiscope.statistics import pairing_test, rank_correlation, separation, sign_flip_test
from lumiscope.statistics.exchange import Exchange
from lumiscope.statistics.permutation import Signs

RISING = np.arange(16.0)
OTHER = np.random.default_rng(0).permuted(RISING)


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many orders or signs are drawn at a time, of none that are kept yet."""
    counts: list[int] = []
    for source in (Exchange, Signs):

        def noted(self: object, generator: np.random.Generator, count: int, draw=source.drawn) -> np.ndarray:
            counts.append(count)
            return draw(self, generator, count)

        monkeypatch.setattr(source, "drawn", noted)
    kept_draws._kept.cache_clear()
    yield counts
    kept_draws._kept.cache_clear()


@pytest.mark.parametrize(("fit", "counts"), [(64, [4, 4, 2]), (1, [1] * 10), (2**20, [10])])
def test_as_many_are_drawn_at_once_as_memory_allows(
    fit: int, counts: list[int], drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fit`: indices at a time, 16 of them a permutation; 10 permutations, of which none is more alike than the 10."""
    monkeypatch.setattr(kept_draws, "AT_ONCE", fit)
    assert pairing_test([np.ones((16, 16))], permutations=10)[1] == 1
    assert drawn == counts
    assert pairing_test([np.eye(16)], permutations=10)[1] == pytest.approx(1 / 51)


def test_tests_over_the_same_images_draw_once(drawn: list[int]) -> None:
    """Those of orders: the pairing, the correlation and the area under the curve. Those of signs by themselves."""
    for _ in range(2):
        assert pairing_test([np.ones((16, 16))])[1] == 1
        rank_correlation(RISING, OTHER)
        separation(OTHER, RISING < 8)
    assert drawn == [10_000]
    pairing_test([np.eye(16)])
    assert drawn == [10_000, 40_000], "what is rare is counted further, from there on"
    for values in (RISING, OTHER - 8, -RISING):
        sign_flip_test(values)
    assert drawn == [10_000, 40_000, 10_000, 40_000]


def test_other_images_groups_or_seeds_draw_anew(drawn: list[int]) -> None:
    ones = [np.ones((16, 16))]
    pairs = [list("aabbccddeeffgghh")]
    for arguments in ({}, {"seed": 1}, {"groups": pairs}, {"groups": [[*"ABCDEFGHIJKLMNOP"]]}):
        pairing_test(ones, permutations=99, **arguments)
    pairing_test([np.ones((8, 8)), np.ones((8, 8))], permutations=99)
    pairing_test([np.ones((17, 17))], permutations=99)
    assert drawn == [99] * 5, "groups of one image are none"


@pytest.mark.parametrize("room", [0, 16 * 150, 2**25])
def test_what_has_no_room_is_drawn_again_and_is_the_same(
    room: int, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 orders of 16 images are drawn at a time, a byte an index: none of three blocks is kept, one, or all."""
    monkeypatch.setattr(kept_draws, "AT_ONCE", 1600)
    matrix = np.random.default_rng(0).random((16, 16))
    monkeypatch.setattr(kept_draws, "KEPT", 0)
    expected = pairing_test([matrix], permutations=300)
    monkeypatch.setattr(kept_draws, "KEPT", room)
    drawn.clear()
    assert [pairing_test([matrix], permutations=300) for _ in range(2)] == [expected] * 2
    assert len(drawn) == {0: 6, 16 * 150: 5, 2**25: 3}[room]


@pytest.mark.parametrize("images", [13, 16, 21])
def test_packed_signs_are_those_that_numpy_draws(images: int) -> None:
    """As plain sums over 10,000 rows of coins; eight images share a byte, the last one is not full."""
    values = np.random.default_rng(images).normal(0.2, 1, images)
    coins = np.random.default_rng(5).integers(0, 2, (10_000, images), np.int8)
    extreme = np.count_nonzero((1 - 2.0 * coins) @ values >= values.sum() - 1e-12)
    assert extreme >= 10
    assert sign_flip_test(values, seed=5) == (extreme + 1) / 10_001
