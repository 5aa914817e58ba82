"""Names in short."""

from __future__ import annotations

from lumiscope.short_name import cut_in_middle


def test_only_longer_names_are_cut():
    assert cut_in_middle("x" * 60) == "x" * 60
    assert cut_in_middle("a" * 50 + "b" * 11) == "a" * 30 + "…" + "a" * 13 + "b" * 11
    assert cut_in_middle("a" * 10 + "b" * 10, 10) == "aaaaa…bbbb"
