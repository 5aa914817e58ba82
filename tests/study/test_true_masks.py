"""What of a true mask counts in a study: what is on the view, and known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope import ModelConfig
from lumiscope import run as run_study
from lumiscope.agreement import GROUND_TRUTH, compare_run, overlap
from lumiscope.runs import VOID, AgreementRow, AgreementSummaryRow, MaskRow, Run
from lumiscope.study import Study
from picture_files import noise, saved


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Pictures three times as wide as what is seen of them: an object outside, one inside, and one beside void."""
    masks = {name: np.zeros((128, 384), np.uint8) for name in ("outside", "inside", "void", "empty")}
    masks["outside"][40:80, :100] = 255
    masks["inside"][40:80, 150:230] = 255
    masks["void"][40:80, 150:200] = 3
    masks["void"][:64, 200:384] = 255
    for number, (name, mask) in enumerate(masks.items()):
        saved(Image.fromarray(np.roll(noise(128, 384), number, 0)), tmp_path / f"{name}.png")
        saved(Image.fromarray(mask), tmp_path / f"{name}-mask.png")
    rows = "".join(f"{name}.png,{name}-mask.png\n" for name in masks)
    (tmp_path / "list.csv").write_text(f"image,mask\n{rows}")
    models, source = [ModelConfig(spec="world:objects")], str(tmp_path / "list.csv")
    return run_study(Study(images=source, models=models, methods=["gaussian", "gradcam"], runs=str(tmp_path / "runs")))


def against_truth(rows: list[AgreementRow]) -> dict[str, AgreementRow]:
    return {row.image: row for row in rows if (row.method_a, row.method_b) == ("gaussian", GROUND_TRUTH)}


def test_only_what_is_seen_and_known_counts(run: Run) -> None:
    rows = against_truth(run.rows(AgreementRow))
    model = run.rows(MaskRow)[0].model
    for image in ("outside", "empty"):
        assert np.isnan(rows[image].iou)
        assert rows[image].reason == "nothing of the true mask is on the view"
    gaussian = {image: run.mask(model, image, "gaussian") for image in rows}
    truth = np.zeros((128, 128), bool)
    truth[40:80, 150 - 128 : 230 - 128] = True
    assert rows["inside"].iou == overlap(gaussian["inside"], truth).iou
    known = np.ones((128, 128), bool)
    known[:64, 200 - 128 :] = False
    truth[:, 200 - 128 :] = False
    np.testing.assert_array_equal(run.mask(model, "void", VOID), ~known)
    assert rows["void"].iou == overlap(gaussian["void"][known], truth[known]).iou
    summary = next(row for row in run.rows(AgreementSummaryRow) if row.method_b == GROUND_TRUTH)
    assert summary.images == 2


def test_other_rules_compare_alike(run: Run) -> None:
    same = compare_run(run, masks={"gradcam": run.manifest.mask_rules["gradcam"]})
    assert list(map(repr, same.by_image)) == list(map(repr, run.rows(AgreementRow)))
