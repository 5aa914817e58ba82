"""The built-in study, and what a study of world images says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope import run as run_study
from lumiscope.agreement import GROUND_TRUTH
from lumiscope.runs import (
    AgreementSummaryRow,
    ExplanationRow,
    FindingRow,
    ImageRow,
    JudgementRow,
    ObservationRow,
    Run,
    UnitRow,
)
from lumiscope.study import FINDINGS, ModelConfig, Study, builtin_study, find, load_study, save_study
from lumiscope.study.config import DEFAULT_METHODS
from lumiscope.study.findings import observe
from lumiscope.world import OBJECTS, SCENES, WORDS, renderer_version
from studies import changed


def test_it_is_what_the_documentation_says() -> None:
    study = builtin_study()
    study.check()
    dissect = study.dissect
    assert study.explain.images == "world:12"
    assert (dissect.probe, dissect.scorer, dissect.concepts) == ("world:2000@1", "world:clip", "world")
    assert [model.spec for model in study.models] == ["world:objects", "world:scenes"]
    assert study.explain.options == {"lime": {"num_samples": 500}}
    assert study.explain.methods is None
    assert DEFAULT_METHODS == ("gradcam", "ablationcam", "scorecam", "lime")
    assert study.folder == Path("runs/world")


def test_a_saved_one_names_the_world_not_a_folder(tmp_path: Path) -> None:
    save_study(builtin_study(), tmp_path / "deep" / "study.toml")
    assert load_study(tmp_path / "deep" / "study.toml") == builtin_study()


@pytest.fixture
def world_run(workplace: Path) -> Run:
    """Two untrained models of either task on four images of the world, dissected with eight others."""
    for name, words in (("objects", OBJECTS), ("scenes", SCENES)):
        Path(f"{name}.txt").write_text("\n".join(words) + "\n")
    words = [word for members in WORDS.values() for word in members]
    ids = [f"world-1-{index:05}" for index in range(8)]
    scores = np.random.default_rng(0).random((8, len(words)))
    np.savez("scores.npz", scores=scores, images=np.array(ids), concepts=np.array(words))
    shared = {"spec": "python:tiny:make", "input_size": 32, "geometry": "squash"}
    models = [
        ModelConfig(name=name, classes=f"{name}.txt", num_classes=len(words), **shared)
        for name, words in (("objects", OBJECTS), ("scenes", SCENES))
    ]
    study = Study(
        images="world:4",
        probe="world:8@1",
        models=models,
        scorer="table:scores.npz",
        concepts="world",
        layers=["0", "6"],
        similarity="cos",
        methods=["gradcam"],
        description="A world in small.",
    )
    return run_study(study)


def test_each_model_is_judged_by_its_own_label(world_run: Run) -> None:
    images = world_run.rows(ImageRow)
    for row, image in zip(world_run.rows(JudgementRow), images * 2, strict=True):
        assert row.image == image.image
        thing, place = image.class_name.split("|")
        assert row.label_short_name == (thing if row.model == "objects" else place)
        assert row.correct == (row.target_short_name == row.label_short_name)
        assert row.mask_shows_label == (row.model == "objects")
        assert (image.user_columns["scene"], image.has_mask) == (place, True)


def test_every_sentence_follows_from_the_tables(world_run: Run) -> None:
    assert find(world_run) == list(world_run.rows(FindingRow))
    assert observe(world_run) == list(world_run.rows(ObservationRow))
    assert {row.finding for row in world_run.rows(FindingRow)} <= {*FINDINGS, "overview"}


def test_claims_about_masks_tell_the_tasks_apart(world_run: Run) -> None:
    objects, scenes = (row for row in world_run.rows(FindingRow) if row.finding == "true_masks")
    assert objects.claim.startswith("objects: ")
    assert scenes.claim.startswith("scenes: ")
    assert ["show something else than its labels" in row.meaning for row in (objects, scenes)] == [False, True]
    page = (world_run.folder / "report.html").read_text()
    assert "The masks show something else than what scenes is asked for" in page
    assert "The masks show something else than what objects is asked for" not in page
    assert "A world in small." in page


def test_the_last_layer_has_a_unit_for_every_class(world_run: Run) -> None:
    units = [row for row in world_run.rows(UnitRow) if row.layer == "6"]
    assert [sum(row.model == name for row in units) for name in ("objects", "scenes")] == [12, 10]
    assert {row.category for row in units if row.label} <= {"colour", "texture", "part", "object", "place"}


def test_views_masks_and_probing_images_are_drawn_again(world_run: Run) -> None:
    again = Run.open(world_run.folder)
    view, truth = again.view("objects", "world-0-00002"), again.mask("scenes", "world-0-00002", GROUND_TRUTH)
    assert view is not None
    assert truth is not None
    assert view.pixels.shape == (32, 32, 3)
    assert 0 < truth.mean() < 1
    pixels = again.probing_pixels("world-1-00007")
    assert pixels is not None
    assert pixels.shape == (128, 128, 3)
    assert again.rows(ImageRow)[0].path == f"world:0@0#{renderer_version()}"


def test_pictures_of_another_renderer_are_gone(world_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from lumiscope.images import world_image

    monkeypatch.setattr(world_image, "renderer_version", lambda: "f00")
    assert world_run.view("objects", "world-0-00002") is None
    assert world_run.mask("objects", "world-0-00002", GROUND_TRUTH) is not None, "it is kept"
    assert world_run.probing_pixels("world-1-00007") is None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The built-in study with fewer probing images and fewer samples for LIME."""
    runs = str(tmp_path_factory.mktemp("builtin"))
    fewer = {"runs": runs, "probe": "world:600@1", "options": {"lime": {"num_samples": 60}}}
    return run_study(changed(builtin_study(), **fewer))


@pytest.mark.slow
def test_both_models_are_right(small: Run) -> None:
    assert len(small.rows(ExplanationRow)) == 12 * 2 * 4
    for model in ("objects", "scenes"):
        right = [row.correct for row in small.rows(JudgementRow) if row.model == model]
        assert len(right) == 12
        assert sum(right) >= 11, model


@pytest.mark.slow
def test_the_object_model_looks_at_objects_and_the_scene_model_past_them(small: Run) -> None:
    rows = small.rows(AgreementSummaryRow)
    against_truth = {(row.model, row.method_a): row for row in rows if row.method_b == GROUND_TRUTH}
    for method in ("gradcam", "ablationcam", "scorecam"):
        objects, scenes = against_truth["objects", method], against_truth["scenes", method]
        assert objects.iou > objects.chance + 0.1, method
        assert scenes.iou < scenes.chance, method


@pytest.mark.slow
def test_units_of_all_five_stages_are_named_after_the_task(small: Run) -> None:
    units = small.rows(UnitRow)
    assert {row.layer for row in units} == {f"stage{number}" for number in range(1, 6)}
    last = [(row.model, row.category) for row in units if row.layer == "stage5"]
    assert last.count(("objects", "object")) > last.count(("scenes", "object"))
    assert last.count(("scenes", "place")) > last.count(("objects", "place"))


@pytest.mark.slow
def test_again_it_computes_and_draws_next_to_nothing(small: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from lumiscope.images import _drawings as drawings

    drawn: list[int] = []
    draw = drawings.render
    monkeypatch.setattr(drawings, "render", lambda index, seed, mark: drawn.append(seed) or draw(index, seed))
    drawings._kept.clear()
    tables = {path.name: path.read_bytes() for path in (small.folder / "tables").iterdir()}
    page = (small.folder / "report.html").read_text()
    again = run_study(load_study(small.study_file))
    assert {timing.computed for timing in again.manifest.timings} == {0}
    assert drawn == [0] * 12, "the images; no probing image"
    assert {path.name: path.read_bytes() for path in (again.folder / "tables").iterdir()} == tables
    pictures = page[page.index('id="images"') : page.index('id="agreement"')]
    assert pictures in (again.folder / "report.html").read_text()
