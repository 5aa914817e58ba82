"""A method that draws, under further seeds: what the table says of it, from maps that are made one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

import lumiscope
from lumiscope.agreement import cell_means, make_mask, overlap
from lumiscope.images import ImageSet
from lumiscope.runs import SelfAgreementRow
from lumiscope.statistics import mean_interval
from lumiscope.study import Study, explain
from studies import changed

SEED, REPEATS = 3, 2


def test_the_table_has_means_over_images_and_pairs_of_seeds(study: Study, pictures: ImageSet) -> None:
    """`random`: gradcam draws nothing, and is not in it."""
    run = lumiscope.run(
        changed(study, probe=None, scorer=None, methods=["random", "gradcam"], repeats=REPEATS, seed=SEED)
    )
    (row,) = run.rows(SelfAgreementRow)
    model = lumiscope.load_model("python:tiny:make", classes="classes.txt", input_size=32, geometry="squash")
    seeds = range(SEED, SEED + REPEATS + 1)
    maps = [explain(model, pictures, methods="random", seed=seed) for seed in seeds]
    pairs = [list(itertools.combinations(of_image, 2)) for of_image in zip(*maps, strict=True)]
    rule = run.manifest.mask_rules["random"]
    iou = [np.mean([overlap(make_mask(a, rule), make_mask(b, rule)).iou for a, b in some]) for some in pairs]
    cells = [
        spearmanr(*(cell_means(saliency.display()).ravel() for saliency in pair)).statistic
        for pair in itertools.chain(*pairs)
    ]
    assert (row.method, row.images, row.seeds) == ("random", 7, 3)
    assert row.iou == pytest.approx(np.mean(iou))
    assert (row.low, row.high) == pytest.approx(mean_interval(iou, bounds=(0, 1), seed=SEED))
    assert row.cells == pytest.approx(np.mean(cells))
