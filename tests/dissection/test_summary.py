"""Counts of concepts and categories add up, and say what has no label."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection import category_histogram, concept_counts
from lumiscope.types import LayerLabels, UnitLabels

CONCEPTS = ("zebra", "red", "ant", "sky")
CATEGORIES = ("object", "colour", "object", "scene")


def layer(model, name, concepts):
    units = len(concepts)
    return LayerLabels(
        model=model,
        layer=name,
        concept=np.array(concepts, np.int64),
        score=np.zeros(units),
        runner_up=np.full(units, -1),
        margin=np.full(units, np.nan),
        reason=("",) * units,
        top_images=np.zeros((units, 1), np.int64),
        top_activations=np.zeros((units, 1), np.float32),
    )


LAYERS = (layer("m", "l1", [0, 2, 1, 1, -1]), layer("m", "l2", [2, 2, -1, 2]), layer("n", "l1", [3]))
LABELS = UnitLabels(LAYERS, CONCEPTS, CATEGORIES, ("image",), "cos")


def test_concepts_are_counted_per_layer_and_per_model():
    rows = [tuple(row.values()) for row in concept_counts(LABELS).to_pylist()]
    assert rows == [
        ("m", "l1", "red", "colour", 2),
        ("m", "l1", "ant", "object", 1),
        ("m", "l1", "zebra", "object", 1),
        ("m", "l2", "ant", "object", 3),
        ("m", None, "ant", "object", 4),
        ("m", None, "red", "colour", 2),
        ("m", None, "zebra", "object", 1),
        ("n", "l1", "sky", "scene", 1),
        ("n", None, "sky", "scene", 1),
    ]


def test_every_layer_has_every_category_and_no_label_last():
    rows = [tuple(row.values()) for row in category_histogram(LABELS, ["colour", "part", "object"]).to_pylist()]
    assert rows == [
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
        ("n", "l1", "colour", 0, 0.0),
        ("n", "l1", "part", 0, 0.0),
        ("n", "l1", "object", 0, 0.0),
        ("n", "l1", "scene", 1, 1.0),
        ("n", "l1", "no label", 0, 0.0),
    ]


def test_no_layers_give_empty_tables_with_the_same_columns():
    empty = UnitLabels((), CONCEPTS, CATEGORIES, (), "cos")
    assert concept_counts(empty).schema == concept_counts(LABELS).schema
    assert category_histogram(empty, CATEGORIES).schema == category_histogram(LABELS, CATEGORIES).schema
    assert len(concept_counts(empty)) == len(category_histogram(empty, CATEGORIES)) == 0
