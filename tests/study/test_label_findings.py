"""Sentences about labels: every number in them can be counted out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from lumiscope.concepts import CATEGORIES
from lumiscope.dissection import (
    LayerLabels,
    UnitLabels,
    category_histogram,
    concept_counts,
    layer_summary,
    model_differences,
    unit_rows,
)
from lumiscope.runs import (
    CategoryRow,
    ConceptCountRow,
    FindingRow,
    LayerRow,
    ModelDifferenceRow,
    NoLabel,
    Outcome,
    Reason,
    UnitRow,
)
from lumiscope.statistics import ClusteredShare, clustered_share_interval
from lumiscope.statistics.sharing import sharing_test
from lumiscope.study.findings import find
from lumiscope.study.stage import Tables
from lumiscope.testing import fake_row

CONCEPTS = ("red", "blue", "dog", "cat")
KINDS = ("colour", "colour", "animal", "animal")


def claims(*layers: LayerLabels, fdr: float | None = 0.05) -> list[FindingRow]:
    of_units = UnitLabels(layers, CONCEPTS, KINDS, ("image",), "cos")
    tables = Tables()
    tables.write(LayerRow, layer_summary(of_units, fdr))
    tables.write(UnitRow, unit_rows(of_units))
    tables.write(ConceptCountRow, concept_counts(of_units))
    tables.write(CategoryRow, category_histogram(of_units, CATEGORIES))
    tables.write(ModelDifferenceRow, model_differences(of_units))
    return find(tables)


def test_labels_are_counted_and_so_is_what_refused_them(unit_labels) -> None:
    refused = [
        NoLabel(Reason.NOT_SIGNIFICANT, "q = 0.3"),
        NoLabel(Reason.DEAD, "0 everywhere"),
        NoLabel(Reason.NOT_SIGNIFICANT, "q = 0.1"),
    ]
    reasons = (None, None, *refused)
    first = unit_labels.layer_labels("m", "l", [0, 2, -1, -1, -1], reason=reasons)
    (labelled,) = claims(first, unit_labels.layer_labels("m", "k", [0]))[:1]
    assert labelled.claim == (
        "m: 3 of 6 units in 2 layers got a label at a false discovery rate of 5%; the most frequent: red (2), dog (1). "
        "The others are left without one: 1 dead, 2 not significant."
    )
    assert (labelled.value, (labelled.low, labelled.high)) == (
        0.5,
        clustered_share_interval(ClusteredShare.of([True, True, False, False, False, True], range(6))),
    )
    assert labelled.test == (
        "95 % Wilson interval of clusters of units that respond alike; Benjamini and Hochberg over the units of each "
        "layer"
    )


def test_untested_labels_are_called_so(unit_labels) -> None:
    layer = unit_labels.layer_labels("m", "l", [0, 2])
    (labelled,) = claims(layer, fdr=None)
    assert labelled.claim == (
        "m: 2 of 2 units in one layer got a label; the most frequent: dog (1), red (1). "
        "Labels were not tested against chance."
    )
    assert "false discovery" not in labelled.claim
    assert labelled.meaning == ""
    assert "related to no concept at all" in claims(layer)[0].meaning


def test_no_labels_at_all_are_said(unit_labels) -> None:
    layers = [unit_labels.layer_labels("m", name, [-1, -1]) for name in ("k", "l")]
    (labelled,) = claims(*layers)  # and of depth nothing can be said
    assert labelled.claim.startswith("m: 0 of 4 units in 2 layers got a label")
    assert labelled.claim.endswith("left without one: 4 not significant.")


def test_the_median_held_out_correlation_is_that_of_labelled_units(unit_labels) -> None:
    values = np.concatenate([np.linspace(0.1, 0.9, 9), [99.0]])
    concepts = [0] * 9 + [-1]
    layer = unit_labels.layer_labels("m", "l", concepts, evidence=unit_labels.evidence(10, heldout_correlation=values))
    heldout = claims(layer)[1]
    assert heldout.value == pytest.approx(0.5)
    assert "at a median of 0.50 (middle half of the units: 0.30 to 0.70" in heldout.claim
    assert heldout.p_value is None, "units are no independent witnesses"


def test_depth_finds_the_category_that_changes_most(unit_labels) -> None:
    first = unit_labels.layer_labels("m", "a", [0] * 40 + [2] * 10 + [-1] * 50)
    last = unit_labels.layer_labels("m", "b", [0] * 5 + [2] * 20 + [-1] * 75)
    (depth,) = (row for row in claims(first, last) if row.finding == "depth")
    assert depth.claim == "m: with depth, labels of the category colour fade, from 40% of the units in a to 5% in b."
    assert depth.value == pytest.approx(-0.35)
    assert depth.p_value == pytest.approx(2 / 10_001), "only two categories have units there"


def test_a_change_with_depth_that_chance_explains_is_not_claimed(unit_labels) -> None:
    first = unit_labels.layer_labels("m", "a", [0] * 2 + [-1] * 18)
    last = unit_labels.layer_labels("m", "b", [0] * 3 + [-1] * 17)
    assert claims(first, last)[-1].claim == (
        "m: no change with depth is shown. It is largest in the category colour, from 10% of the units in a to 15% in "
        "b, which chance could explain."
    )


def test_models_are_compared_at_their_ends(unit_labels) -> None:
    first = unit_labels.layer_labels("m", "l", [2] * 18 + [0] * 2)
    second = unit_labels.layer_labels("n", "l", [1] * 15 + [3] * 5)
    category, concept = claims(first, second)[2:]
    assert category.claim == (
        "m and n differ in categories: colour, 10% of the units in l against 75%; animal, 90% of the units in l "
        "against 25%."
    )
    assert category.value == pytest.approx(0.65)
    assert category.p_value <= 2 * 2 * 0.001, "two categories, two sentences"
    expected, p_value = sharing_test([18, 2, 0, 0], [0, 0, 15, 5])
    assert concept.claim == (
        f"Of the 4 concepts in l, 0 are in both models (fewer than {expected:.1f} if their units were dealt out at "
        "random), 2 only in m (dog, red) and 2 only in n (blue, cat)."
    )
    assert concept.value == 0
    assert p_value < 0.01


def units_of(model: str, layer: str, labels: Sequence[str], cluster: int | None = None) -> list[UnitRow]:
    """Units of one layer, each a cluster of its own, or all of them one."""
    return [
        fake_row(
            UnitRow, model=model, layer=layer, unit=unit, label=label, category=label, heldout_correlation=math.nan,
            cluster=unit if cluster is None else cluster,
        )
        for unit, label in enumerate(labels)
    ]  # fmt: skip


def test_units_that_respond_alike_are_no_independent_witnesses() -> None:
    """Forty units against forty others: certain where each counts, and nothing where either forty is one cluster."""
    for cluster, outcomes in (
        (None, (Outcome.SUPPORTED, Outcome.SUPPORTED)),
        (0, (Outcome.UNDECIDED, Outcome.OBSERVED)),
    ):
        tables = Tables()
        tables.write(
            UnitRow, [*units_of("m", "l", ["animal"] * 40, cluster), *units_of("n", "l", ["colour"] * 40, cluster)]
        )
        category, concept = (row for row in find(tables) if row.finding.startswith("model_"))
        assert (category.outcome, concept.outcome) == outcomes


def test_concepts_of_one_cluster_each_are_counted_and_not_tested() -> None:
    """As in runs, where units with one label are one cluster: dealing them out would always share as many or fewer."""
    tables = Tables()
    tables.write(
        UnitRow,
        [
            *units_of("m", "l", ["dog", "dog"], cluster=0),
            *units_of("m", "l", ["cat"], cluster=1),
            *units_of("m", "l", ["red"], cluster=2),
            *units_of("n", "l", ["cat"], cluster=0),
            *units_of("n", "l", ["blue"], cluster=1),
        ],
    )
    (concept,) = (row for row in find(tables) if row.finding == "model_concepts")
    assert concept.claim == (
        "Of the 4 concepts in l, 1 is in both models, 2 only in m (dog, red) and 1 only in n (blue)."
    )
    assert (concept.outcome, concept.value, concept.p_value) == (Outcome.OBSERVED, 0.25, None)
    assert concept.meaning == "each is that of one cluster of units, so whether chance would share more was not tested"


def test_models_are_compared_at_their_last_layers_alone() -> None:
    tables = Tables()
    tables.write(LayerRow, [fake_row(LayerRow, model=model, layer=layer) for model in "mn" for layer in ("a", "z")])
    tables.write(
        UnitRow,
        [
            *units_of("m", "z", ["animal"] * 30),
            *units_of("n", "z", ["colour"] * 30),
            *units_of("m", "a", ["place"] * 30),
            *units_of("n", "a", ["part"] * 30),
        ],
    )
    (category,) = (row for row in find(tables) if row.finding == "model_categories")
    assert category.claim.startswith("m and n differ in categories: ")
    assert "place" not in category.claim
    assert "units in z" in category.claim


def test_equal_models_do_not_differ(unit_labels) -> None:
    first, second = (unit_labels.layer_labels(name, "l", [0, 2, 2]) for name in "mn")
    category, concept = claims(first, second)[2:]
    assert "which chance could explain" in category.claim
    assert "Of the 2 concepts in l, 2 are in both models (not shown to be fewer than " in concept.claim
    assert concept.claim.endswith("0 only in m and 0 only in n.")
