"""Scorers by name: schemes with and without a colon, each with its place in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.scorers import SCORERS, load_scorer

PAGE = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text()


def test_every_scheme_has_a_chapter():
    assert list(SCORERS) == ["classes", "masks", "open_clip", "table", "world"]
    for scheme in SCORERS:
        assert f"\n## `{scheme}:" in PAGE


def test_a_scheme_that_is_nearly_right_is_told():
    with pytest.raises(UnknownNameError, match="did you mean masks"):
        load_scorer("mask")


def test_masks_may_stand_alone_and_no_other():
    assert load_scorer("masks").name == "masks"
    for spec in ("table", "table:", "masks:", ""):
        with pytest.raises(UsageError, match=r"scheme:what.* or by masks alone"):
            load_scorer(spec)


def test_an_unknown_scheme_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean table"):
        load_scorer("tabel:x.npz")
