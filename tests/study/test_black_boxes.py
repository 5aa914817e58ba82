"""Studies of models that can only predict: what they are asked, what is left out and said, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope import run
from lumiscope.attribution import METHODS, methods_for, select_methods
from lumiscope.errors import UsageError
from lumiscope.images import ImageSet
from lumiscope.models import BlackBox, TorchModel, probabilities
from lumiscope.runs import ExplanationRow, ModelRow, PredictionRow, UnitRow
from lumiscope.study import ModelConfig, Study, dissect, explain, load_study, save_study
from studies import changed

FUNCTION = """
import numpy as np

def shares(pixels):
    sums = np.concatenate([pixels.sum((1, 2), dtype=float), pixels[:, :16].sum((1, 2, 3), dtype=float)[:, None]], 1)
    return sums / sums.sum(1, keepdims=True)
"""


@pytest.fixture
def box(tiny: TorchModel) -> BlackBox:
    """What `tiny` predicts, and nothing else of it."""
    return BlackBox(
        lambda pixels: probabilities(tiny.predict(pixels), "softmax"), tiny.geometry, classes=tiny.classes, name="box"
    )


@pytest.fixture
def boxes(study: Study, workplace: Path) -> Study:
    """A torch model and a function of pictures; no methods asked for."""
    (workplace / "boxes.py").write_text(FUNCTION)
    function = ModelConfig(spec="python:boxes:shares", classes="classes.txt", input_size=32, geometry="squash")
    return changed(study, models=[*study.models, function])


def test_methods_that_look_inside_are_refused_in_one_line(box: BlackBox, tiny: TorchModel, pictures: ImageSet) -> None:
    able = methods_for(box)
    assert "lime" in able
    assert not {"gradcam", "scorecam", "ablationcam"} & set(able)
    assert methods_for(tiny) == list(METHODS)
    assert select_methods(["*"], box) == able
    assert select_methods(["*"], tiny) == select_methods(["*"]) == list(METHODS)
    with pytest.raises(UsageError) as refused:
        explain(box, pictures, methods=["lime", "gradcam", "scorecam"])
    assert str(refused.value) == (
        "gradcam, scorecam must look inside a model, and box can only predict. "
        f"Methods that need no more than that: {', '.join(able)}."
    )
    with pytest.raises(UsageError, match="gradcam"):
        explain(box, pictures, methods="*cam")
    with pytest.raises(UsageError, match="a target layer must look inside"):
        explain(box, pictures, methods="lime", layer="3")
    with pytest.raises(UsageError, match=r"dissection must look inside a model, and box can only predict\. .*lime"):
        dissect(box, pictures, layers="auto", scorer="table:scores.npz")


def test_a_box_is_explained_as_the_model_in_it(box: BlackBox, tiny: TorchModel, pictures: ImageSet) -> None:
    options = {"lime": {"num_samples": 40}}
    ours = explain(box, pictures[:2], methods="lime", options=options)
    theirs = explain(tiny, pictures[:2], methods="lime", options=options)
    for saliency, other in zip(ours, theirs, strict=True):
        assert saliency.target.probability == pytest.approx(other.target.probability, rel=1e-5)
        np.testing.assert_allclose(saliency.coefficients, other.coefficients, atol=1e-6)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.looks_inside])
def test_methods_that_need_no_more_than_predictions_do_run(name: str, box: BlackBox, pictures: ImageSet) -> None:
    few = {"lime": {"num_samples": 20}, "rise": {"num_masks": 20}, "kernelshap": {"num_samples": 40}}
    (saliency,) = explain(box, pictures[:1], methods=name, options={name: few.get(name, {})})
    assert saliency.values.shape == (32, 32)
    assert np.isfinite(saliency.values).all()


def test_a_study_of_both_kinds_asks_each_what_it_can(boxes: Study, caplog: pytest.LogCaptureFixture) -> None:
    done = run(boxes)
    words = "can only predict; left out, as they look inside a model: gradcam, ablationcam, scorecam, dissection"
    assert f"shares {words}" in caplog.text
    maps = {(row.model, row.method) for row in done.rows(ExplanationRow)}
    assert {method for model, method in maps if model == "shares"} == {"lime"}
    assert {method for model, method in maps if model == "make"} == {"gradcam", "ablationcam", "scorecam", "lime"}
    assert {row.model for row in done.rows(UnitRow)} == {"make"}
    row = done.rows(ModelRow)[1]
    assert (row.model, row.target_layer, row.mean, row.std) == ("shares", None, None, None)
    assert row.notes[-1] == words
    assert set(done.manifest.methods) == {"gradcam", "ablationcam", "scorecam", "lime"}
    first = next(row for row in done.rows(PredictionRow) if row.model == "shares" and row.rank == 1)
    assert first.probability == pytest.approx(first.logit)
    report = (done.folder / "report.html").read_text()
    assert words in report
    assert "its own" in report


def test_what_was_asked_for_by_name_is_refused_before_anything_is_computed(boxes: Study) -> None:
    asked = changed(boxes, methods=["gradcam", "lime"])
    with pytest.raises(UsageError, match="gradcam must look inside a model, and shares can only predict"):
        run(asked)
    alone = changed(boxes, models=boxes.models[1:])
    with pytest.raises(UsageError, match="dissection must look inside a model, and shares can only predict"):
        run(alone)
    assert not boxes.folder.exists()
    few = changed(boxes, methods=["lime"], models=boxes.models[1:], probe=None, scorer=None)
    assert run(few).rows(ModelRow)[0].notes[-1].startswith("its scores add up to 1")


@pytest.mark.parametrize("opening", ["onnx:", "local-dir:", "timm:local-dir:"])
def test_specs_that_are_paths_move_with_the_study(
    opening: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    config = ModelConfig(spec=f"{opening}nets/a", activation="sigmoid", device="cuda:1")
    save_study(Study(images="world:1", models=[config]), Path("sub/s.toml"))
    assert f'"{opening}../nets/a"' in Path("sub/s.toml").read_text()
    (loaded,) = load_study(Path("sub/s.toml")).models
    assert loaded.spec == f"{opening}{tmp_path / 'nets' / 'a'}"
    assert (loaded.activation, loaded.device) == ("sigmoid", "cuda:1")
