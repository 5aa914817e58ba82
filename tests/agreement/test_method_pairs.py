"""Methods beside each other, image by image."""

from __future__ import annotations

import math

import pytest

from lumiscope.agreement import method_ranks
from lumiscope.runs import MethodRankRow


def ranks(images: int, groups: list[int] | None = None) -> list[MethodRankRow]:
    """Of two methods, the first of which is ahead on every image."""
    scores = {name: {str(image): value for image in range(images)} for name, value in (("a", 0.6), ("b", 0.4))}
    return list(method_ranks("m", "extent", scores, groups))


def test_ranks_are_shares_of_resamples() -> None:
    assert [(row.method, row.rank, row.share, row.reason) for row in ranks(10)] == [
        ("a", 1, 1.0, ""), ("a", 2, 0.0, ""), ("b", 1, 0.0, ""), ("b", 2, 1.0, ""),
    ]  # fmt: skip
    assert {row.method: row.mean for row in ranks(10)} == pytest.approx({"a": 0.6, "b": 0.4})


def test_few_images_have_means_but_no_ranks() -> None:
    """With three images, one of several equal methods is quite often first on all, and in every resample."""
    few = ranks(9)
    assert all(math.isnan(row.share) for row in few)
    assert {row.reason for row in few} == {"ranks take 10 images or more; there are 9"}
    assert {row.method: row.mean for row in few} == pytest.approx({"a": 0.6, "b": 0.4})


def test_images_that_belong_together_are_counted_once() -> None:
    grouped = ranks(12, [number // 4 for number in range(12)])
    assert all(math.isnan(row.share) for row in grouped)
    assert grouped[0].reason.endswith("there are 3")
