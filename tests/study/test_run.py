from __future__ import annotations

import datetime
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope import run as run_study
from lumiscope.agreement import GROUND_TRUTH, compare_run, make_mask
from lumiscope.errors import StoreError, UsageError
from lumiscope.runs import (
    FORMAT,
    TABLES,
    AgreementRow,
    CategoryRow,
    ExplanationRow,
    ImageRow,
    JudgementRow,
    LayerRow,
    PredictionRow,
    Run,
    SkippedRow,
    UnitRow,
)
from lumiscope.study import Study
from studies import changed


@pytest.fixture
def result(study: Study) -> Run:
    return run_study(study, command="lumiscope run --test")


def test_the_run_folder_holds_what_the_design_says(result: Run) -> None:
    names = {path.name for path in result.folder.iterdir()}
    assert names == {"study.toml", "manifest.json", "tables", "clip-dissect", "report.html", "log.jsonl"}
    assert {path.stem for path in (result.folder / "tables").iterdir()} == set(TABLES)
    for line in (result.folder / "log.jsonl").read_text().splitlines():
        assert {"time", "level", "message"} <= set(json.loads(line))
    assert result.manifest.command == "lumiscope run --test"
    assert result.manifest.versions["torch"]


def test_the_manifest_says_how_long_it_took(study: Study) -> None:
    before = time.time()
    manifest = run_study(changed(study, methods=["gradcam"], probe=None, scorer=None)).manifest
    assert 0 < manifest.seconds <= time.time() - before
    started, finished = map(datetime.datetime.fromisoformat, (manifest.started, manifest.finished))
    assert int(before) <= started.timestamp() <= finished.timestamp() <= time.time()
    assert (finished - started).total_seconds() == pytest.approx(manifest.seconds, abs=1)


def test_the_tables_are_complete_and_agree_with_each_other(result: Run) -> None:
    assert len(result.rows(ImageRow)) == 7
    assert len(result.rows(ExplanationRow)) == 7 * 4
    assert len(result.rows(PredictionRow)) == 7 * 4  # the model has four classes
    assert len(result.rows(AgreementRow)) == 7 * 6 + 4  # six pairs an image, one image with a true mask
    assert len(result.rows(UnitRow)) == 6 + 8
    assert result.rows(SkippedRow) == result.skipped == []
    judgements = result.rows(JudgementRow)
    assert [row.label_short_name for row in judgements] == ["cat", "dog", "fish", "wheel", "cat", "dog", "fish"]
    assert [row.mask_shows_label for row in judgements] == [True] + [None] * 6
    for layer in result.rows(LayerRow):
        assert sum(row.units for row in result.rows(CategoryRow) if row.layer == layer.layer) == layer.units
    best = {row.image: row for row in result.rows(PredictionRow) if row.rank == 1}
    for row in judgements:
        assert row.target_index == best[row.image].class_index
        assert row.correct == (row.label_index == row.target_index)


def test_maps_views_and_masks_are_read_back(result: Run) -> None:
    saliency = result.saliency_map("make", "p0", "lime")
    assert saliency.segments.shape == saliency.values.shape == (32, 32)
    view, truth = result.view("make", "p0"), result.mask("make", "p0", GROUND_TRUTH)
    assert view is not None
    assert view.pixels.shape == (32, 32, 3)
    assert truth is not None
    assert truth.mean() == pytest.approx(30 * 20 / (50 * 60), abs=0.03)
    assert result.mask("make", "p1", GROUND_TRUTH) is None
    np.testing.assert_array_equal(result.mask("make", "p0", "lime"), make_mask(saliency, "lime"))
    with pytest.raises(StoreError):
        result.saliency_map("make", "p0", "occlusion")


def test_no_timings_in_the_tables(result: Run) -> None:
    for name in TABLES:
        assert not [column for column in result.table(name).column_names if "second" in column or "time" in column]


def test_a_second_run_computes_nothing_and_writes_the_same_tables(result: Run, study: Study) -> None:
    before = {path.name: path.read_bytes() for path in (result.folder / "tables").iterdir()}
    again = run_study(study)
    assert {timing.computed for timing in again.manifest.timings} == {0}
    assert {path.name: path.read_bytes() for path in (again.folder / "tables").iterdir()} == before


def test_a_damaged_shard_is_computed_again_and_said(result: Run, study: Study) -> None:
    before = {path.name: path.read_bytes() for path in (result.folder / "tables").iterdir()}
    shard = max((Path(study.run.runs) / ".store" / "maps").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[-5] ^= 1
    shard.write_bytes(content)
    again = run_study(study)
    assert again.skipped == []
    assert again.manifest.repaired == (str(shard),)
    assert {path.name: path.read_bytes() for path in (again.folder / "tables").iterdir()} == before


def test_a_missing_scope_file_is_written_again(result: Run, study: Study) -> None:
    scope = next((Path(study.run.runs) / ".store" / "maps").rglob("scope.json"))
    content = scope.read_bytes()
    scope.unlink()
    run_study(study)
    assert scope.read_bytes() == content


def test_sizes_are_those_of_the_upright_image(study: Study, workplace: Path) -> None:
    picture = Image.new("RGB", (60, 50), "red")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(workplace / "pictures" / "p1.png", exif=exif)
    result = run_study(changed(study, probe=None, scorer=None, methods=["gradcam"]))
    row = result.rows(ImageRow)[1]
    assert (row.width, row.height) == (50, 60)


def test_bad_images_are_skipped_and_the_rest_is_done(study: Study, workplace: Path) -> None:
    (workplace / "pictures" / "p2.png").write_bytes(b"")
    scores = np.load("scores.npz")
    keep = [index for index, name in enumerate(scores["images"]) if name != "p2.png"]
    np.savez("scores.npz", scores=scores["scores"][keep], images=scores["images"][keep], concepts=scores["concepts"])
    result = run_study(study)
    assert [(row.what, row.name) for row in result.skipped] == [
        ("image", "pictures/p2.png"),
        ("probing image", "p2.png"),
    ]
    assert all("empty" in row.reason for row in result.skipped)
    assert result.manifest.skipped == 2
    assert len(result.rows(ImageRow)) == 6


def test_parts_of_a_study(study: Study) -> None:
    only_maps = run_study(changed(study, probe=None, scorer=None, name="maps"))
    assert (len(only_maps.rows(ExplanationRow)), only_maps.rows(UnitRow)) == (28, [])
    only_labels = run_study(changed(study, images=None, name="labels"))
    assert (only_labels.rows(ExplanationRow), len(only_labels.rows(UnitRow))) == ([], 14)


def test_compare_run_takes_other_rules(result: Run) -> None:
    agreement, other = compare_run(result), compare_run(result, masks={"gradcam": "top:20%"})
    assert agreement.by_image == result.rows(AgreementRow)
    areas = {
        row.area_a if row.method_a == "gradcam" else row.area_b
        for row in other.by_image
        if "gradcam" in (row.method_a, row.method_b)
    }
    assert {round(area * 32 * 32) for area in areas} <= {round(0.2 * 32 * 32), 0}
    assert {row.rule_a for row in other.by_image if row.method_a == "gradcam"} == {"top:20%"}


def test_a_skipped_mask_is_told_apart_from_a_picture_of_its_name(study: Study, workplace: Path) -> None:
    (workplace / "mask.png").write_bytes(b"")
    (workplace / "mask of pictures").mkdir()
    (workplace / "mask of pictures" / "p0.png").write_bytes(b"")
    labels = (workplace / "labels.csv").read_text()
    (workplace / "labels.csv").write_text(f"{labels}mask of pictures/p0.png,,\n")
    chosen = changed(study, probe="labels.csv", methods=["gradcam"])
    assert [(row.what, row.name) for row in run_study(chosen).skipped] == [
        ("mask", "pictures/p0.png"),
        ("image", "mask of pictures/p0.png"),
        ("probing mask", "pictures/p0.png"),
        ("probing image", "mask of pictures/p0.png"),
    ]


def test_what_is_no_run_says_so(tmp_path: Path, result: Run) -> None:
    with pytest.raises(UsageError, match="expected a run folder"):
        Run.open(tmp_path)
    (result.folder / "manifest.json").unlink()
    with pytest.raises(UsageError, match="has not finished"):
        Run.open(result.folder)
    with pytest.raises(UsageError, match="no table"):
        Run(result.folder).table("nonsense")


def test_a_run_of_an_older_format_says_so(tmp_path: Path) -> None:
    (tmp_path / "study.toml").touch()
    (tmp_path / "manifest.json").write_text('{"lumiscope": "0.1.0"}')
    said = rf"have an older format: 1, where this lumiscope reads {FORMAT}\. Run it again: "
    with pytest.raises(StoreError, match=said):
        Run.open(tmp_path)
