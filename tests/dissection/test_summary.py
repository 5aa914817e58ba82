"""Counts of concepts and categories add up, and say what has no label."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from lumiscope.dissection import UnitLabels, category_histogram, concept_counts, count_units, layer_summary
from lumiscope.errors import UnknownNameError
from lumiscope.runs import NoLabel, Reason
from lumiscope.statistics import ClusteredShare, clustered_share_interval

CONCEPTS = ("zebra", "red", "ant", "sky")
CATEGORIES = ("object", "colour", "object", "scene")


def interval(units: int, total: int) -> tuple[float, float]:
    """Of a share of units each of which is a cluster."""
    return clustered_share_interval(ClusteredShare.of([unit < units for unit in range(total)], range(total)))


@pytest.fixture
def labels(unit_labels) -> UnitLabels:
    first = unit_labels.layer_labels(
        "m",
        "l1",
        [0, 2, 1, 1, -1],
        further=np.array([[1, 3], [-1, -1], [2, -1], [-1, -1], [-1, -1]]),
        evidence=unit_labels.evidence(5, heldout_correlation=[0.1, 0.2, 0.4, math.nan, 0.9]),
        reason=(None, None, None, None, NoLabel(Reason.UNSTABLE, "0.2")),
    )
    layers = (first, unit_labels.layer_labels("m", "l2", [2, 2, -1, 2]), unit_labels.layer_labels("n", "l1", [3]))
    return UnitLabels(layers, CONCEPTS, CATEGORIES, ("image",), "cos")


def columns(rows: Sequence[Any], *names: str) -> list[tuple[object, ...]]:
    """The values of each row: of these columns, else of all."""
    return [tuple(getattr(row, name) for name in names) if names else dataclasses.astuple(row) for row in rows]


def test_concepts_are_counted_per_layer_and_per_model(labels) -> None:
    assert columns(concept_counts(labels)) == [
        ("m", "l1", "red", "colour", 2, 1),
        ("m", "l1", "ant", "object", 1, 1),
        ("m", "l1", "zebra", "object", 1, 0),
        ("m", "l1", "sky", "scene", 0, 1),
        ("m", "l2", "ant", "object", 3, 0),
        ("m", None, "ant", "object", 4, 1),
        ("m", None, "red", "colour", 2, 1),
        ("m", None, "zebra", "object", 1, 0),
        ("m", None, "sky", "scene", 0, 1),
        ("n", "l1", "sky", "scene", 1, 0),
        ("n", None, "sky", "scene", 1, 0),
    ]


def test_a_concept_named_outright_is_counted_where_it_does_not_occur(labels) -> None:
    rows = count_units(labels, ["ANT"])
    assert columns(rows, "model", "layer", "units", "further") == [
        ("m", "l1", 1, 1),
        ("m", "l2", 3, 0),
        ("m", None, 4, 1),
        ("n", "l1", 0, 0),
        ("n", None, 0, 0),
    ]
    assert {row.category for row in rows} == {"object"}


def test_a_wildcard_counts_what_occurs(labels) -> None:
    assert count_units(labels, ["*"]) == concept_counts(labels)
    counted = count_units(labels, ["z*", "s?y"])
    assert columns(counted, "model", "layer", "concept")[:3] == [
        ("m", "l1", "zebra"),
        ("m", "l1", "sky"),
        ("m", None, "zebra"),
    ]
    with pytest.raises(UnknownNameError, match="did you mean zebra"):
        count_units(labels, ["zebr"])


def test_every_layer_and_model_has_every_category_and_no_label_last(labels) -> None:
    rows = category_histogram(labels, ["colour", "part", "object"])
    assert columns(rows, "model", "layer", "category", "units", "share")[:10] == [
        ("m", "l1", "colour", 2, 0.4),
        ("m", "l1", "part", 0, 0.0),
        ("m", "l1", "object", 2, 0.4),
        ("m", "l1", "scene", 0, 0.0),
        ("m", "l1", "no label", 1, 0.2),
        ("m", "l2", "colour", 0, 0.0),
        ("m", "l2", "part", 0, 0.0),
        ("m", "l2", "object", 3, 0.75),
        ("m", "l2", "scene", 0, 0.0),
        ("m", "l2", "no label", 1, 0.25),
    ]
    assert columns(rows, "layer", "category", "units")[10:15] == [
        (None, "colour", 2),
        (None, "part", 0),
        (None, "object", 5),
        (None, "scene", 0),
        (None, "no label", 2),
    ]
    units = {("m", "l1"): 5, ("m", "l2"): 4, ("m", None): 9}
    for row in rows[:15]:
        total = units[row.model, row.layer]
        assert row.share == row.units / total
        assert (row.low, row.high) == interval(row.units, total)
    shares: dict[tuple[str, str | None], float] = {}
    for row in rows:
        shares[row.model, row.layer] = shares.get((row.model, row.layer), 0) + row.share
    assert len(shares) == 5
    assert all(math.isclose(total, 1) for total in shares.values())


def test_layers_are_summed_up(labels) -> None:
    first, second, whole, other, _ = layer_summary(labels)
    assert [row.layer for row in (first, second, whole, other)] == ["l1", "l2", None, "l1"]
    assert [(row.units, row.labelled, row.unique_concepts) for row in (first, second, whole)] == [
        (5, 4, 3),
        (4, 3, 1),
        (9, 7, 3),  # the ant of both layers is one concept
    ]
    assert first.heldout_correlation == pytest.approx(0.2)  # the median of 0.1, 0.2 and 0.4
    assert math.isnan(second.heldout_correlation)
    assert (first.unstable, first.not_significant) == (1, 0)
    assert (whole.unstable, whole.not_significant, whole.dead) == (1, 1, 0)
    for row in (first, second, whole):
        assert sum(getattr(row, reason.column) for reason in Reason) == row.units - row.labelled
        assert row.share == row.labelled / row.units
        assert (row.low, row.high) == interval(row.labelled, row.units)


def test_no_layers_give_no_rows() -> None:
    empty = UnitLabels((), CONCEPTS, CATEGORIES, (), "cos")
    assert concept_counts(empty) == category_histogram(empty, CATEGORIES) == layer_summary(empty) == []


def test_a_layer_without_units_has_no_shares(unit_labels) -> None:
    none = UnitLabels((unit_labels.layer_labels("m", "l", []),), CONCEPTS, CATEGORIES, (), "cos")
    row, _ = layer_summary(none)
    assert row.units == 0
    assert all(math.isnan(value) for value in (row.share, row.low, row.high))


def test_units_that_respond_alike_are_one(unit_labels) -> None:
    """Of three clusters, one of six units, one is labelled: less is known than of eight units."""
    cluster = np.array([0, 0, 0, 0, 0, 0, 1, 2])
    layer = unit_labels.layer_labels("m", "l", [0] * 6 + [-1] * 2, cluster=cluster)
    summary, _ = layer_summary(UnitLabels((layer,), CONCEPTS, CATEGORIES, (), "cos"))
    assert (summary.units, summary.share) == (8, 0.75)
    clusters = ClusteredShare(np.array([6.0, 0, 0]), np.array([6.0, 1, 1]))
    assert (summary.low, summary.high) == clustered_share_interval(clusters)
    assert summary.low < interval(6, 8)[0]
