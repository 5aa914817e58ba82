"""The planted exam: dissection must find what was planted and be silent where nothing was (docs/dissection.md)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from lumiscope.dissection import LayerLabels, UnitLabels
from lumiscope.images import open_images
from lumiscope.models import load_model
from lumiscope.runs import Reason
from lumiscope.store import Store
from lumiscope.study import dissect
from lumiscope.world._planted import NULLS, Noise, PlantedUnit, plan_units, plant

pytestmark = pytest.mark.slow

SEEDS = (0, 1)
PROBE = "world:1000@1001"


@pytest.fixture(scope="module")
def exam(load_module: Callable[[str, str], ModuleType]) -> ModuleType:
    return load_module("planted_exam", "../benchmarks/planted.py")


@pytest.fixture(scope="module")
def sat(exam: ModuleType) -> list[tuple[object, LayerLabels]]:
    """Exams of 620 units over 2,000 pictures, and how they were answered."""
    exams = [exam.Exam.over(exam.presence_of_words(), seed) for seed in SEEDS]
    return [(paper, paper.sit()) for paper in exams]


@pytest.fixture(scope="module")
def marks(exam: ModuleType, sat: list[tuple[object, LayerLabels]]) -> list[object]:
    return exam.pooled([mark for sitting in sat for mark in exam.mark(*sitting)])


def test_what_was_planted_is_found_and_noise_is_not(exam: ModuleType, marks: list[object]) -> None:
    shares = exam.totals(marks)
    assert shares["frequent"] >= 0.99
    assert shares["rare"] >= 0.9, "two of 2,000 images are enough for most"
    assert shares["null"] <= 0.05
    assert shares["or"] >= 0.8
    assert shares["and"] >= 0.6
    assert shares["silent"] == 1


def test_no_kind_of_noise_is_named_too_often(marks: list[object]) -> None:
    for mark in marks:
        if mark.kind in NULLS:
            assert mark.labelled <= 0.08 * mark.units, mark


def test_rejected_units_say_why(sat: list[tuple[object, LayerLabels]]) -> None:
    for paper, labels in sat:
        for unit, concept, reason in zip(paper.units, labels.concept, labels.reason, strict=True):
            assert (concept < 0) == (reason is not None)
            if unit.kind in NULLS and reason is not None:
                assert reason.reason in (Reason.NOT_SIGNIFICANT, Reason.UNSTABLE)


def test_a_layer_of_noise_gets_hardly_a_label(exam: ModuleType) -> None:
    """Where all hypotheses are null, Benjamini and Hochberg hold the chance of any label at all at 0.05."""
    presence = exam.presence_of_words()
    units = [PlantedUnit(kind) for kind in NULLS for _ in range(100)]
    labels = exam.Exam(presence, tuple(units), plant(units, presence, seed=3)).sit()
    assert (labels.concept >= 0).sum() <= 3


def test_louder_noise_is_borne(exam: ModuleType) -> None:
    presence = exam.presence_of_words()
    units = plan_units(presence, seed=2, singles=30, pairs=0, nulls=20)
    loud = Noise(spread=0.5, background=0.5, missed=0.1, false_alarms=0.1)
    paper = exam.Exam(presence, units, plant(units, presence, noise=loud, seed=2))
    shares = exam.totals(exam.mark(paper, paper.sit()))
    assert shares["frequent"] >= 0.93, "only concepts that nearly always go together are mixed up"
    assert shares["null"] <= 0.05


def test_the_whole_way_gives_what_the_planted_numbers_give(exam: ModuleType) -> None:
    """Pictures, network, scorer and similarity as a user names them, against the planted activations themselves."""
    options = {"count": 150, "seed": 5}
    model = load_model("python:lumiscope.world._planted_network:planted_network", model_options=options, input_size=128)
    images = open_images("world:150@5")
    labels = dissect(model, images, layers="units", scorer="masks")
    (layer,) = labels.layers
    assert labels.similarity == "pearson"
    presence = exam.presence_of(images)
    paper = exam.Exam.over(presence)
    expected = paper.sit()
    np.testing.assert_array_equal(layer.concept, expected.concept)
    assert layer.reason == expected.reason
    assert exam.totals(exam.mark(paper, layer))["frequent"] >= 0.95


@pytest.fixture(scope="module")
def class_units(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], UnitLabels]:
    """The last stage and the final layer of both models, by both scorers, all else being automatic."""
    images = open_images(PROBE)
    store = Store(tmp_path_factory.mktemp("store"))
    return {
        (spec, scorer): dissect(load_model(spec), images, layers=["stage5", "fc"], scorer=scorer, store=store)
        for spec in ("world:objects", "world:scenes")
        for scorer in ("world:clip", "masks")
    }


@pytest.mark.parametrize("spec", ["world:objects", "world:scenes"])
def test_class_units_are_named_after_their_class(class_units: dict[tuple[str, str], UnitLabels], spec: str) -> None:
    labels = class_units[spec, "world:clip"]
    named = [labels.concepts[concept] if concept >= 0 else None for concept in labels.layers[-1].concept]
    assert labels.similarity == "cos_cubed, wpmi", "inside and of the class units"
    assert named == list(load_model(spec).classes)


@pytest.mark.parametrize("spec", ["world:objects", "world:scenes"])
def test_annotations_name_class_units_or_what_is_seen_with_the_class(
    exam: ModuleType, class_units: dict[tuple[str, str], UnitLabels], spec: str
) -> None:
    """Annotations cannot tell a class from a part that is seen on nearly the same pictures (a fish from its mouth)."""
    labels = class_units[spec, "masks"]
    presence = exam.presence_of(open_images(PROBE))
    classes = load_model(spec).classes
    class_concepts = [labels.concepts.index(name) for name in classes]
    together = [
        (presence[:, a] & presence[:, b]).sum() / (presence[:, a] | presence[:, b]).sum()
        for a, b in zip(class_concepts, labels.layers[-1].concept, strict=True)
    ]
    assert min(labels.layers[-1].concept) >= 0
    assert min(together) >= 0.9
    assert np.mean(np.equal(together, 1)) >= 0.75


def test_the_two_models_know_different_things(exam: ModuleType, class_units: dict[tuple[str, str], UnitLabels]) -> None:
    """One was trained to name objects, the other scenes: so are the units of their last stage."""
    for scorer in ("world:clip", "masks"):
        objects, scenes = (exam.know(class_units[f"world:{name}", scorer], "stage5") for name in ("objects", "scenes"))
        assert objects["objects and their parts"] >= 25
        assert scenes["backdrops and theirs"] >= 40
        assert objects["backdrops and theirs"] <= 6
        assert scenes["objects and their parts"] <= 6
