"""What a study says of methods when networks are random: known truths, what is left out, what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import sobel

from lumiscope import ModelConfig, Study, run
from lumiscope.attribution import METHODS, AttributionMethod, view_method
from lumiscope.runs import Dependence, RandomisationRow, Randomised


@dataclass(frozen=True)
class NoOptions:
    """None."""


@pytest.fixture
def of_the_picture(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Methods that look at the picture alone: its brightness, and its edges."""
    METHODS.names()  # those that are found now, too, are there for the next test
    monkeypatch.setattr(METHODS, "_registered", dict(METHODS._registered))
    facts = {"title": "of the picture", "citation": "nobody 2024", "passes": "none", "options": NoOptions}

    @view_method("brightness", **facts, perturbs=False)
    def brightness(view, predictor, target, options):
        return view.pixels.mean(axis=2)

    @view_method("edges", **facts, perturbs=False)
    def edges(view, predictor, target, options):
        grey = view.pixels.mean(axis=2)
        return np.hypot(sobel(grey, 0), sobel(grey, 1))

    return ["brightness", "edges"]


def rows_of(study: Study) -> dict[tuple[str, str, Randomised], RandomisationRow]:
    return {(row.model, row.method, row.kind): row for row in run(study).rows(RandomisationRow)}


@pytest.mark.slow
def test_known_truths(of_the_picture: list[str], tmp_path: Path) -> None:
    """The network decides Grad-CAM's map of what an object network was trained for; nothing but the picture edges."""
    methods = [*of_the_picture, "gradcam", "gaussian", "random", "eigencam"]
    rows = rows_of(
        Study(
            images="world:6",
            models=[ModelConfig(spec="world:objects")],
            methods=methods,
            trust=True,
            backend="eager",
            name="x",
            runs=str(tmp_path),
        )
    )
    assert len(rows) == 2 * len(methods)
    of_network = {method: rows["objects", method, Randomised.PARAMETERS] for method in methods}
    of_class = {method: rows["objects", method, Randomised.TARGET] for method in methods}
    for method in ("brightness", "edges", "gaussian", "random"):
        assert of_network[method].verdict == Dependence.NO_NETWORK, method
        assert of_network[method].similarity == pytest.approx(1)
        assert of_class[method].verdict == Dependence.NO_CLASS
    for method in ("gradcam", "eigencam"):
        assert of_network[method].verdict == Dependence.NETWORK, method
        assert (of_network[method].networks, of_network[method].images, of_network[method].share) == (5, 6, 0)
    assert of_class["gradcam"].verdict == Dependence.CLASS
    for method in ("eigencam", "gaussian", "random"):
        assert of_class[method].verdict == Dependence.NO_CLASS
        assert of_class[method].reason == "by construction: the method does not look at the class"
    assert "nine tenths" in of_class["brightness"].reason  # it does not say so, but it is measured
    assert {row.ceiling for method, row in of_network.items() if method != "random"} == {1}
    assert abs(of_network["random"].ceiling) < 0.1


def test_a_model_that_can_only_predict_and_one_of_a_single_score(study: Study, workplace: Path) -> None:
    """Of the latter the other class is the same score with the other sign: its maps are upside down."""
    Path("boxes.py").write_text(
        "def shares(pixels):\n    share = pixels.mean((1, 2, 3)) / 255\n    return [[1 - s, s] for s in share]\n"
    )
    Path("two.txt").write_text("cat\ndog\n")
    facts = {"classes": "two.txt", "input_size": 32, "geometry": "squash"}
    box = ModelConfig(name="box", spec="python:boxes:shares", **facts)
    single = ModelConfig(name="single", spec="python:tiny:make", options={"num_classes": 1}, **facts)
    rows = rows_of(Study(models=[box, single], images="pictures", methods=["occlusion"], name="x", trust=True))
    closed = rows["box", "occlusion", Randomised.PARAMETERS]
    assert closed.reason == "only the model's predictions are known: its parameters cannot be made random"
    assert (closed.verdict, closed.networks, closed.images) == (Dependence.CANNOT_TELL, 0, 0)
    for model in ("box", "single"):
        assert rows[model, "occlusion", Randomised.TARGET].similarity == pytest.approx(-1, abs=0.01)
        assert rows[model, "occlusion", Randomised.TARGET].verdict == Dependence.CLASS
    assert rows["single", "occlusion", Randomised.PARAMETERS].networks == 5
    assert {row.images for row in rows.values()} == {0, 5}, "of seven, by a method that asks again and again"


def test_what_was_made_is_kept_and_nobody_is_judged_unasked(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"images": "pictures", "models": study.models, "methods": ["gradcam", "random"], "backend": "eager"}
    first = rows_of(Study(**facts, name="asked", trust=True))
    assert {row.images for row in first.values()} == {7}
    explained: list[object] = []
    monkeypatch.setattr(AttributionMethod, "explain", lambda *given: explained.append(given))
    assert repr(rows_of(Study(**facts, name="again", trust=True))) == repr(first)
    assert not explained
    assert not rows_of(Study(**facts, name="unasked"))
