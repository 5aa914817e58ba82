from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import LumiscopeError, StoreError, UsageError
from lumiscope.report import run as run_study
from lumiscope.study import SCHEMAS, Run, Study, compare_run


@pytest.fixture
def result(study: Study) -> Run:
    return run_study(study, command="lumiscope run --test")


def test_the_run_folder_holds_what_the_design_says(result: Run) -> None:
    names = {path.name for path in result.folder.iterdir()}
    assert names == {"study.toml", "manifest.json", "tables", "clip-dissect", "report.html", "log.jsonl"}
    assert {path.stem for path in (result.folder / "tables").iterdir()} == set(SCHEMAS)
    for line in (result.folder / "log.jsonl").read_text().splitlines():
        assert {"time", "level", "message"} <= set(json.loads(line))
    assert result.manifest["command"] == "lumiscope run --test"
    assert result.manifest["versions"]["torch"]


def test_the_tables_are_complete_and_agree_with_each_other(result: Run) -> None:
    assert result.table("images").num_rows == 7
    assert result.table("explanations").num_rows == 7 * 4
    assert result.table("predictions").num_rows == 7 * 4  # the model has four classes
    assert result.table("agreement").num_rows == 7 * 6 + 4  # six pairs an image, one image with a true mask
    assert result.table("units").num_rows == 6 + 8
    assert result.table("skipped").num_rows == 0
    labels = [row["label_short_name"] for row in result.table("explanations").to_pylist()]
    assert labels[:8] == ["cat"] * 4 + ["dog"] * 4
    for row in result.table("layers").to_pylist():
        categories = [one for one in result.table("categories").to_pylist() if one["layer"] == row["layer"]]
        assert sum(one["units"] for one in categories) == row["units"]
    best = {row["image"]: row for row in result.table("predictions").to_pylist() if row["rank"] == 1}
    for row in result.table("explanations").to_pylist():
        assert row["target_index"] == best[row["image"]]["class_index"]
        assert row["correct"] == (row["label_index"] == row["target_index"])


def test_maps_views_and_masks_are_read_back(result: Run) -> None:
    one = result.saliency_map("make", "p0", "lime")
    assert one.segments.shape == one.values.shape == (32, 32)
    view, truth = result.view("make", "p0"), result.truth("make", "p0")
    assert view is not None
    assert view.pixels.shape == (32, 32, 3)
    assert truth is not None
    assert truth.mean() == pytest.approx(30 * 20 / (50 * 60), abs=0.03)
    assert result.truth("make", "p1") is None
    with pytest.raises(StoreError):
        result.saliency_map("make", "p0", "occlusion")


def test_no_timings_in_the_tables(result: Run) -> None:
    for name in SCHEMAS:
        assert not [column for column in result.table(name).column_names if "second" in column or "time" in column]


def test_a_second_run_computes_nothing_and_writes_the_same_tables(result: Run, study: Study) -> None:
    before = {path.name: path.read_bytes() for path in (result.folder / "tables").iterdir()}
    again = run_study(study)
    assert {timing["computed"] for timing in again.manifest["timings"]} == {0}
    assert {path.name: path.read_bytes() for path in (again.folder / "tables").iterdir()} == before


def test_a_damaged_shard_is_computed_again_and_said(result: Run, study: Study) -> None:
    before = {path.name: path.read_bytes() for path in (result.folder / "tables").iterdir()}
    shard = max((Path(study.runs) / ".store" / "maps").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[-5] ^= 1
    shard.write_bytes(content)
    again = run_study(study)
    assert again.skipped == []
    assert again.manifest["repaired"] == [str(shard)]
    assert {path.name: path.read_bytes() for path in (again.folder / "tables").iterdir()} == before


def test_a_missing_scope_file_is_written_again(result: Run, study: Study) -> None:
    scope = next((Path(study.runs) / ".store" / "maps").rglob("scope.json"))
    content = scope.read_bytes()
    scope.unlink()
    run_study(study)
    assert scope.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"masks": {"gradcam": "foo"}}, "unknown mask rule 'foo'"),
        ({"scorer": "table:absent.npz"}, "absent.npz"),
        ({"similarity": "cosine"}, "did you mean cos"),
        ({"layers": ["nope"]}, "unknown layer 'nope'"),
        ({"concepts": "absent.txt"}, "absent.txt"),
        ({"options": {"lime": {"samples": 3}}}, "num_samples"),
    ],
)
def test_mistakes_show_before_anything_is_computed(study: Study, change: dict[str, object], said: str) -> None:
    with pytest.raises(LumiscopeError, match=said):
        run_study(study.model_copy(update=change))
    assert not Path(study.runs).exists()


def test_sizes_are_those_of_the_upright_image(study: Study, workplace: Path) -> None:
    picture = Image.new("RGB", (60, 50), "red")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(workplace / "pictures" / "p1.png", exif=exif)
    result = run_study(study.model_copy(update={"probe": None, "scorer": None, "methods": ["gradcam"]}))
    row = result.table("images").to_pylist()[1]
    assert (row["width"], row["height"]) == (50, 60)


def test_bad_images_are_skipped_and_the_rest_is_done(study: Study, workplace: Path) -> None:
    (workplace / "pictures" / "p2.png").write_bytes(b"")
    scores = np.load("scores.npz")
    keep = [index for index, name in enumerate(scores["images"]) if name != "p2.png"]
    np.savez("scores.npz", scores=scores["scores"][keep], images=scores["images"][keep], concepts=scores["concepts"])
    result = run_study(study)
    assert [(row["what"], row["name"]) for row in result.skipped] == [
        ("image", "pictures/p2.png"),
        ("probing image", "p2.png"),
    ]
    assert all("empty" in row["reason"] for row in result.skipped)
    assert result.table("images").num_rows == 6


def test_parts_of_a_study(study: Study) -> None:
    only_maps = study.model_copy(update={"probe": None, "scorer": None, "name": "maps"})
    assert run_study(only_maps).table("units").num_rows == 0
    only_labels = study.model_copy(update={"images": None, "name": "labels"})
    result = run_study(only_labels)
    assert result.table("units").num_rows == 14
    assert result.table("explanations").num_rows == 0


def test_compare_run_takes_other_rules(result: Run) -> None:
    own, other = compare_run(result), compare_run(result, masks={"gradcam": "top:20%"})
    assert str(own.by_image.to_pylist()) == str(result.table("agreement").to_pylist())
    areas = {
        row["area_a"] if row["method_a"] == "gradcam" else row["area_b"]
        for row in other.by_image.to_pylist()
        if "gradcam" in (row["method_a"], row["method_b"])
    }
    assert {round(area * 32 * 32) for area in areas} <= {round(0.2 * 32 * 32), 0}


def test_what_is_no_run_says_so(tmp_path: Path, result: Run) -> None:
    with pytest.raises(UsageError, match="expected a run folder"):
        Run.open(tmp_path)
    (result.folder / "manifest.json").unlink()
    with pytest.raises(UsageError, match="has not finished"):
        Run.open(result.folder)
    with pytest.raises(UsageError, match="no table"):
        Run(result.folder).table("nonsense")
