"""What is said and left out before the first stage begins: the log from its first line, images and probing images."""

from __future__ import annotations

import functools
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lumiscope import run as run_study
from lumiscope.errors import ImageError, LumiscopeError
from lumiscope.images import ImageFile, ImageItem
from lumiscope.models import TorchModel
from lumiscope.runs import JudgementRow, LayerRow, ProbingImageRow, UnitRow
from lumiscope.study import ModelConfig, Study
from lumiscope.study.stages import labels as labels_module
from studies import changed


def logged(folder: Path) -> list[str]:
    return [json.loads(line)["message"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_the_log_begins_with_the_first_line(study: Study, workplace: Path) -> None:
    Path("strange.csv").write_text("image,class_name\npictures/p0.png,unicorn\npictures/p1.png,cat\n")
    run = run_study(changed(study, images="strange.csv", probe=None, scorer=None, methods=["gradcam"]))
    messages = logged(run.folder)
    assert messages[0] == "started"
    assert "the labels of 1 of 2 images are no classes of make (first: p0); there they count as unlabelled" in messages
    assert messages[-1] == "finished"


def test_a_run_that_is_done_again_adds_to_its_log(study: Study) -> None:
    maps = changed(study, probe=None, scorer=None, methods=["gradcam"])
    run_study(maps)
    assert logged(run_study(maps).folder).count("started") == 2


@pytest.mark.parametrize("mistake", [{}, {"methods": ["gradcm"]}])
def test_loggers_are_as_they_were(study: Study, mistake: dict[str, list[str]]) -> None:
    logger = logging.getLogger("lumiscope")
    before = logger.level, list(logger.handlers)
    asked = changed(study, **{"probe": None, "scorer": None, "methods": ["gradcam"], **mistake})
    if mistake:
        with pytest.raises(LumiscopeError):
            run_study(asked)
    else:
        run_study(asked)
    assert (logger.level, list(logger.handlers)) == before


def test_images_and_probing_images_of_one_folder_are_told_apart(study: Study, workplace: Path) -> None:
    (workplace / "pictures" / "p2.png").write_bytes(b"")
    table = dict(np.load("scores.npz"))
    keep = table["images"] != "p2.png"
    np.savez("scores.npz", **{**table, "scores": table["scores"][keep], "images": table["images"][keep]})
    run = run_study(changed(study, images="pictures", probe="pictures", methods=["gradcam"]))
    assert [(row.what, row.name) for row in run.skipped] == [("image", "p2.png"), ("probing image", "p2.png")]
    said = [message.rpartition(": ")[0] for message in logged(run.folder) if message.startswith("left out")]
    assert said[0].startswith("left out: the image p2.png")
    assert said[1].startswith("left out: the probing image p2.png")


def test_what_is_given_for_a_method_that_does_not_run_is_said(study: Study) -> None:
    maps = changed(study, probe=None, scorer=None, methods=["gradcam"])
    idle = ("smoothgrad", "rise", "occlusion", "lime", "kernelshap", "layercam")
    given = {"masks": {"gradcam": "max:0.5", "scorecam": "max:0.4"}, "options": {name: {} for name in idle}}
    run = run_study(changed(maps, **given))
    warnings = [message for message in logged(run.folder) if "does not run" in message]
    assert warnings == [
        "a mask rule given for scorecam, which does not run here: checked, and without effect",
        *(f"options given for {name}, which does not run here: checked, and without effect" for name in sorted(idle)),
    ]


def test_labels_are_made_once_where_only_the_second_model_fails_on_an_image(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Activations of all models come first; labels follow on the images that all of them have."""
    labelled: list[tuple[str, str, int]] = []
    label_units, view = labels_module.label_units, TorchModel.view

    @functools.wraps(label_units)  # it counts as the code that makes labels
    def counted(activations, scores, **given):
        labelled.append((given["model"], given["layer"], len(activations)))
        return label_units(activations, scores, **given)

    def fails_in_the_second(model: TorchModel, item: ImageItem) -> object:
        if (model.name, item.id) == ("second", "p3"):
            raise ImageError("p3 is too dark for the second model")
        return view(model, item)

    monkeypatch.setattr(labels_module, "label_units", counted)
    monkeypatch.setattr(TorchModel, "view", fails_in_the_second)
    facts = {"classes": "classes.txt", "input_size": 32, "geometry": "squash"}
    second = ModelConfig(spec="python:tiny:make", name="second", options={"width": 5}, **facts)
    run = run_study(changed(study, images=None, controls=0, models=[*study.models, second]))
    assert sorted(labelled) == [("make", "0", 6), ("make", "3", 6), ("second", "0", 6), ("second", "3", 6)]
    assert [row.image for row in run.rows(ProbingImageRow)] == ["p0", "p1", "p2", "p4", "p5", "p6"]
    assert all(set(row.top_images) == {"p0", "p1", "p2", "p4", "p5", "p6"} for row in run.rows(UnitRow))
    assert {row.units for row in run.rows(LayerRow) if row.layer == "0"} == {6, 5}
    said = "p3 is too dark for the second model"
    assert [(row.what, row.name, row.reason) for row in run.skipped] == [("probing image", "p3.png", said)]
    assert f"1 probing image was left out of everything (p3.png: {said})." in run.manifest.similarity_notes


def test_an_image_that_is_gone_meanwhile_is_told_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of two models can look at it; nor can it be said what its true mask is."""
    view = TorchModel.view

    def gone(model: TorchModel, item: ImageItem) -> object:
        if item.id == "p0":
            raise ImageError("pictures/p0.png: cannot be read any more")
        return view(model, item)

    monkeypatch.setattr(TorchModel, "view", gone)
    again = replace(study.models[0], name="second")
    run = run_study(changed(study, probe=None, scorer=None, methods=["gradcam"], models=[*study.models, again]))
    said = "pictures/p0.png: cannot be read any more"
    assert [(row.what, row.name, row.reason) for row in run.skipped] == [("image", "pictures/p0.png", said)]
    assert run.manifest.skipped == 1
    assert [(row.model, row.image) for row in run.rows(JudgementRow)] == [
        (model, f"p{number}") for model in ("make", "second") for number in range(1, 7)
    ]


def test_a_true_mask_that_is_gone_meanwhile_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(item: ImageFile) -> None:
        raise ImageError("mask.png: cannot be read any more")

    monkeypatch.setattr(ImageFile, "mask", property(gone))
    run = run_study(changed(study, probe=None, scorer=None, methods=["gradcam"]))
    said = "mask.png: cannot be read any more"
    skipped = [(what, "pictures/p0.png", said) for what in ("measure", "mask")]
    assert [(row.what, row.name, row.reason) for row in run.skipped] == skipped
