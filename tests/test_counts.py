from __future__ import annotations

from lumiscope.counts import counted, first_few, thousands


def test_one_is_singular_and_all_else_plural() -> None:
    assert [counted(count, "image") for count in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
    assert [counted(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_thousands_stand_apart() -> None:
    assert thousands(1234567) == "1\u202f234\u202f567"
    assert counted(1000, "unit") == "1\u202f000 units"


def test_the_first_few_are_named_and_the_others_counted() -> None:
    assert first_few("abc", 3) == "a, b, c"
    assert first_few("abcde", 3) == "a, b, c and 2 more"
    assert first_few("abcd", 3, separator="; ", more=", … {} more") == "a; b; c, … 1 more"
