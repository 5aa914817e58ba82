"""What differs between models is counted right, and tested with whole clusters of units."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.dissection import UnitLabels, model_differences
from lumiscope.runs import ModelDifferenceRow
from lumiscope.statistics import holm

CONCEPTS = ("red", "blue", "dog", "cat")
CATEGORIES = ("colour", "colour", "animal", "animal")


@pytest.fixture
def rows(unit_labels) -> list[ModelDifferenceRow]:
    layer_labels = unit_labels.layer_labels
    layers = (
        layer_labels("a", "first", [0, 0, 1, -1]),
        layer_labels("a", "last", [2] * 18 + [0] * 2),
        layer_labels("b", "first", [0, 0, 0, 0]),
        layer_labels("b", "end", [3] * 9 + [2] * 1),
    )
    return model_differences(UnitLabels(layers, CONCEPTS, CATEGORIES, ("i",), "cos"))


def test_compared_are_all_layers_those_of_the_same_name_and_the_last(rows) -> None:
    scopes = list(dict.fromkeys((row.layer_a, row.layer_b) for row in rows))
    assert scopes == [(None, None), ("first", "first"), ("last", "end")]
    assert {(row.model_a, row.model_b) for row in rows} == {("a", "b")}


def test_units_are_counted(rows) -> None:
    last = {(row.kind, row.name): row for row in rows if row.layer_a == "last"}
    assert {key: (row.units_a, row.of_a, row.units_b, row.of_b) for key, row in last.items()} == {
        ("category", "animal"): (18, 20, 10, 10),
        ("category", "colour"): (2, 20, 0, 10),
        ("concept", "dog"): (18, 20, 1, 10),
        ("concept", "cat"): (0, 20, 9, 10),
        ("concept", "red"): (2, 20, 0, 10),
    }
    assert last["concept", "cat"].difference == pytest.approx(0.9)
    assert last["concept", "cat"].category == "animal"
    everything = {(row.kind, row.name): row for row in rows if row.layer_a is None}
    assert (everything["category", "no label"].units_a, everything["category", "no label"].of_a) == (1, 24)
    assert (everything["concept", "red"].units_a, everything["concept", "red"].units_b) == (4, 4)


def test_p_values_permute_units_that_are_alone_and_are_corrected_within_their_kind(rows) -> None:
    groups: dict[tuple[object, ...], list[ModelDifferenceRow]] = {}
    for row in rows:
        groups.setdefault((row.layer_a, row.kind), []).append(row)
        if not math.isnan(row.p_value):
            assert row.p_value == pytest.approx(dealt_out(row), abs=0.02)
        assert row.low <= row.difference <= row.high
    for (layer, _), group in groups.items():
        tested = [row for row in group if not math.isnan(row.p_adjusted)]
        assert [row.p_adjusted for row in tested] == pytest.approx(holm([row.p_value for row in tested]))
        # Of 20 and 10 units two, or all but two, can fall so that p = 45/435 at the least, and three so that p < 0.05.
        if layer == "last":
            units = [row.units_a + row.units_b for row in group]
            assert [math.isnan(row.p_value) for row in group] == [not 2 < count < 28 for count in units]
        assert group == [*sorted(tested, key=lambda row: row.p_value), *group[len(tested) :]]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_name_is_tested_where_one_of_the_two_models_alone_could_have_it(unit_labels, swapped) -> None:
    """Of 20 and 10 units three are all among the 10 in C(10, 3) of C(30, 3) deals, and among the 20 in C(20, 3)."""
    labels = [[2] * 20, [2] * 7 + [3] * 3]
    layers = [
        unit_labels.layer_labels(name, "l", of) for name, of in zip("ba" if swapped else "ab", labels, strict=True)
    ]
    differences = model_differences(
        UnitLabels(tuple(sorted(layers, key=lambda layer: layer.model)), CONCEPTS, CATEGORIES, ("i",), "cos")
    )
    (cat,) = (row for row in differences if row.name == "cat" and row.layer_a == "l")
    assert cat.difference == pytest.approx(-0.3 if swapped else 0.3)
    assert cat.p_value == pytest.approx(120 / 4060, abs=0.006)


def dealt_out(row: ModelDifferenceRow) -> float:
    """How likely units that are dealt out to the models differ as much in their shares: hypergeometric."""
    units = row.units_a + row.units_b
    ways = stats.hypergeom(row.of_a + row.of_b, units, row.of_a)
    return sum(
        ways.pmf(in_a)
        for in_a in range(units + 1)
        if abs((units - in_a) / row.of_b - in_a / row.of_a) >= abs(row.difference) - 1e-12
    )


def test_units_that_respond_alike_are_one_observation(unit_labels) -> None:
    """Nine units of ten with one label are much; in one cluster they are nothing."""
    layers = [unit_labels.layer_labels(name, "l", [label] * 9 + [-1]) for name, label in (("a", 2), ("b", 0))]
    alike = [dataclasses.replace(layer, cluster=np.array([0] * 9 + [1])) for layer in layers]
    apart, together = (
        model_differences(UnitLabels(tuple(of), CONCEPTS, CATEGORIES, ("i",), "cos")) for of in (layers, alike)
    )
    assert [row.is_certain for row in apart if row.name == "dog"] == [True, True]
    assert all(math.isnan(row.p_value) for row in together)
    assert {(row.name, row.units_a, row.units_b) for row in together} == {
        (row.name, row.units_a, row.units_b) for row in apart
    }


def concepts_between(unit_labels, first: list[int], second: list[int]) -> list[ModelDifferenceRow]:
    """The concepts of two models of one layer, whose units have these."""
    layers = (unit_labels.layer_labels("a", "l", first), unit_labels.layer_labels("b", "l", second))
    rows = model_differences(UnitLabels(layers, CONCEPTS, CATEGORIES, ("i",), "cos"))
    return [row for row in rows if row.kind == "concept" and row.layer_a == "l"]


def test_as_certain_differences_stand_by_their_size_whatever_the_sign_and_then_by_name(unit_labels) -> None:
    certain = concepts_between(unit_labels, [3] * 10, [2] * 10)
    assert len({row.p_value for row in certain}) == 1
    assert [(row.name, row.difference) for row in certain] == [("cat", -1), ("dog", 1)]
    untested = concepts_between(unit_labels, [0, 1, 1, -1], [0, 0, 2, -1])
    assert all(math.isnan(row.p_value) for row in untested)
    assert [(row.name, row.difference) for row in untested] == [("blue", -0.5), ("dog", 0.25), ("red", 0.25)]


def test_a_name_whose_least_p_value_is_the_level_is_not_tested(unit_labels) -> None:
    """One unit of 20 is that of the model with a single one in 1 of 20 deals, and of 21 in 1 of 21."""
    for units, tested in ((19, False), (20, True)):
        (cat,) = (row for row in concepts_between(unit_labels, [3], [-1] * units) if row.name == "cat")
        assert math.isnan(cat.p_value) != tested


def test_one_model_has_no_differences_and_three_have_three_pairs(unit_labels) -> None:
    layers = tuple(unit_labels.layer_labels(name, "l", [0, 2]) for name in "abc")
    for count, pairs in ((1, set()), (3, {("a", "b"), ("a", "c"), ("b", "c")})):
        differences = model_differences(UnitLabels(layers[:count], CONCEPTS, CATEGORIES, ("i",), "cos"))
        assert {(row.model_a, row.model_b) for row in differences} == pairs
