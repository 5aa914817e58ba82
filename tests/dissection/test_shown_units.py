"""Shown are the clearest units, each label once, and units of every reason for no label."""

from __future__ import annotations

import math

from lumiscope.dissection import shown_images, shown_units
from lumiscope.runs import Reason, ShownUnitRow, UnitRow
from lumiscope.testing import fake_row


def unit(number, label, heldout=math.nan, score=0.0, reason=None, layer="l"):
    return fake_row(
        UnitRow,
        model="m",
        layer=layer,
        unit=number,
        label=label,
        reason=reason,
        heldout_correlation=heldout,
        score=score,
    )


def chosen(*rows):
    return [row.unit for row in shown_units(rows)]


def test_the_highest_held_out_correlation_comes_first_and_no_label_twice_before_every_one_came():
    rows = [unit(0, "cat", 0.5), unit(1, "cat", 0.9), unit(2, "dog", 0.1), unit(3, "sky", math.nan, 7.0)]
    assert chosen(*rows) == [1, 2, 3, 0]


def test_without_held_out_images_the_score_decides():
    assert chosen(unit(0, "cat", score=1.0), unit(1, "dog", score=3.0), unit(2, "sky", score=2.0)) == [1, 2, 0]


def test_six_with_a_label_and_three_without_of_different_reasons():
    rows = [unit(number, f"word {number}", 1 - number / 10) for number in range(8)]
    rows += [unit(10 + number, None, score=number, reason=Reason.NOT_SIGNIFICANT) for number in range(4)]
    rows += [unit(20, None, math.nan, math.nan, Reason.DEAD), unit(21, None, score=0.1, reason=Reason.UNSTABLE)]
    assert chosen(*rows) == [0, 1, 2, 3, 4, 5, 21, 13, 20]


def test_every_layer_by_itself():
    rows = shown_units([unit(0, "cat", layer="a"), unit(1, "cat", layer="b"), unit(2, "dog", layer="b")])
    assert rows == [
        ShownUnitRow(model="m", layer="a", unit=0, place=1),
        ShownUnitRow(model="m", layer="b", unit=1, place=1),
        ShownUnitRow(model="m", layer="b", unit=2, place=2),
    ]


def test_images_on_which_a_unit_fires_are_its_top_ones_and_those_without_the_concept():
    tops = tuple(f"t{k}" for k in range(10))
    assert shown_images(fake_row(UnitRow, top_images=tops, active_without=("t1", "w0", "w1"))) == [
        *tops[:8],
        "w0",
        "w1",
    ]
    assert shown_images(fake_row(UnitRow)) == []
