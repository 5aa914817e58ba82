"""A study of files of bands: what the report shows of them is what the model saw."""

from __future__ import annotations

import numpy as np

import lumiscope
from lumiscope import run
from lumiscope.models import load_model
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
