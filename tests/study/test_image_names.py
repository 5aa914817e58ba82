"""Names of images in files and in words."""

from __future__ import annotations

import pytest

from lumiscope.images._checking import first_few
from lumiscope.study.files.image_names import few, short_name

LETTERS = list("abcdefgh")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "a"),
        (2, "a, b"),
        (5, "a, b, c, d, e"),
        (6, "a, b, c, d, e and 1 more"),
        (8, "a, b, c, d, e and 3 more"),
    ],
)
def test_five_names_are_spelled_out(count: int, said: str) -> None:
    assert few(LETTERS[:count]) == said
    assert first_few(LETTERS[:count], ", ") == said.replace(" and", ", and")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("n01443537_goldfish.JPEG", "goldfish"),
        ("a/b/n01443537_gold.fish.png", "gold.fish"),
        ("a\\b\\cat.tiff", "cat"),
        ("cat.v2", "cat.v2"),
        ("n0144353_cat", "n0144353_cat"),
        ("n014435371_cat", "n014435371_cat"),
        ("cat_n01443537_x", "cat_n01443537_x"),
    ],
)
def test_a_short_name_is_without_folder_ending_and_wnid(name: str, short: str) -> None:
    assert short_name(name) == short
