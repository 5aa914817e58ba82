"""A study of files of bands: what the report shows of them is what the model saw."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import lumiscope
from lumiscope import run
from lumiscope.errors import UsageError
from lumiscope.images import Geometry
from lumiscope.models import BlackBox, check_files, load_model
from lumiscope.runs import ModelRow, SkippedRow
from lumiscope.study import ExplainConfig, ModelConfig, RunConfig, Study

NETWORK = """
from torch import nn

def four():
    return nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
"""


def test_the_chosen_triple_is_shown_and_other_files_are_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bands_of_a_study.py").write_text(NETWORK)
    (tmp_path / "files").mkdir()
    cube = np.random.default_rng(0).normal(3000, 900, (6, 20, 24)).astype(np.float32)
    np.save(tmp_path / "files" / "six.npy", cube)
    np.savez(tmp_path / "files" / "zipped.npz", bands=cube[::-1])
    np.save(tmp_path / "files" / "two.npy", cube[:2])
    options = {"input_size": 16, "mean": 3000, "std": 900, "bands": [5, 0, 3, 1], "shown_bands": [2, 1, 0]}
    finished = run(
        Study(
            models=[ModelConfig(spec="python:bands_of_a_study:four", name="four", **options)],
            explain=ExplainConfig(images="files", methods=["gradcam"]),
            run=RunConfig(name="bands"),
        )
    )
    (row,) = finished.rows(ModelRow)
    assert row.shown_bands == "2, 1, 0"
    model = load_model("python:bands_of_a_study:four", name="four", **options)
    images = {item.id: item for item in lumiscope.open_images("files")}
    for name in ("six", "zipped"):
        view = finished.view("four", name)
        assert view is not None
        np.testing.assert_array_equal(view.pixels, model.view(images[name]).pixels)
    (skipped,) = finished.rows(SkippedRow)
    assert "two.npy: expected bands from 0 to 1, as it has 2; asked for 5" in skipped.reason


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {},
            r"expected files of 4 bands for four; all 3 files are of another kind: 6 bands \(2\), pictures \(1\)\. --b",
        ),
        ({"bands": [0, 1, 2, 7]}, r"expected files with the bands 0, 1, 2, 7 \(from 0\) for four; all 3 files are"),
    ],
)
def test_files_of_which_none_fits_are_refused_once(tmp_path, monkeypatch, options, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bands_of_a_study.py").write_text(NETWORK)
    (tmp_path / "files").mkdir()
    cube = np.ones((6, 20, 24), np.float32)
    for name in ("a", "b"):
        np.save(tmp_path / "files" / f"{name}.npy", cube)
    Image.new("RGB", (24, 20)).save(tmp_path / "files" / "c.png")
    model = ModelConfig(spec="python:bands_of_a_study:four", name="four", input_size=16, **options)
    with pytest.raises(UsageError, match=expected):
        run(Study(models=[model], explain=ExplainConfig(images="files", methods=["gradcam"]), run=RunConfig(name="r")))
    np.save(tmp_path / "files" / "d.npy", np.ones((8, 20, 24) if options else (4, 20, 24), np.float32))
    loaded = load_model("python:bands_of_a_study:four", name="four", input_size=16, **options)
    check_files(loaded, lumiscope.open_images("files"))  # one of them fits


def test_a_black_box_says_once_that_it_takes_pictures(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((6, 20, 24), np.float32))
    box = BlackBox(lambda pixels: pixels.mean((1, 2)), Geometry((16, 16)), name="box")
    with pytest.raises(
        UsageError, match=r"expected pictures for box; all 1 files .* 6 bands \(1\)\. It can only be asked"
    ):
        lumiscope.explain(box, lumiscope.open_images(str(tmp_path)), methods="lime")


def test_the_size_of_a_file_of_bands_is_in_its_header(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.ones((6, 20, 24), np.float32))
    np.savez_compressed(tmp_path / "b.npz", bands=np.ones((30, 40, 5), np.uint8))
    frames = [Image.fromarray(np.full((9, 12), value, np.float32)) for value in range(4)]
    frames[0].save(tmp_path / "c.tif", save_all=True, append_images=frames[1:])
    images = lumiscope.open_images(str(tmp_path))
    monkeypatch.setattr("numpy.load", None)
    monkeypatch.setattr("lumiscope.images.bands.npy.read_array", None)
    monkeypatch.setattr("PIL.TiffImagePlugin.TiffImageFile.load", None)
    assert [image.size for image in images] == [(20, 24), (30, 40), (9, 12)]
