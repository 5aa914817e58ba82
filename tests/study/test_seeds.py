"""The seed of a study decides every random choice in it: intervals, tests, permutations, resamples and maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope import ModelConfig, Run, Study, explain, load_model, open_images, run
from lumiscope.agreement import compare_other_images, compare_run
from lumiscope.dissection import EvidenceOptions, label_units
from lumiscope.runs import AgreementRow, AgreementSummaryRow, MaskRow
from lumiscope.statistics import mean_interval

SPEC = {"spec": "python:tiny:make", "classes": "classes.txt", "input_size": 32, "geometry": "squash"}
PICTURES = 14  # more than the test of signs counts out
EVIDENCE = ("p_value", "q_value", "stability", "heldout_correlation")


@pytest.fixture
def results(workplace: Path) -> dict[int, Run]:
    """The same study with two seeds, of two methods and the units of one layer."""
    pictures = sorted(Path("pictures").iterdir())
    for number in range(len(pictures), PICTURES):
        Path(f"pictures/p{number}.png").write_bytes(pictures[number % len(pictures)].read_bytes() + bytes([number]))
    generator = np.random.default_rng(1)
    names = np.array([f"p{number}.png" for number in range(PICTURES)])
    np.savez("more.npz", scores=generator.random((PICTURES, 5)), images=names, concepts=np.array(list("abcde")))
    return {
        seed: run(
            Study(
                images="pictures",
                models=[ModelConfig(**SPEC)],
                methods=["gradcam", "random", "lime"],
                options={"lime": {"num_samples": 40}},
                probe="pictures",
                scorer="table:more.npz",
                layers=["3"],
                similarity="pearson",
                seed=seed,
                name=f"seed{seed}",
            )
        )
        for seed in (0, 5)
    }


def check_agreement(results: dict[int, Run]) -> None:
    """Intervals and tests over images."""
    for seed, result in results.items():
        rows = result.table("agreement").to_pylist()
        masks: dict[str, dict[str, np.ndarray]] = {}
        for row in result.rows(MaskRow):
            mask = result.mask(row.model, row.image, row.method)
            assert mask is not None
            masks.setdefault(row.image, {})[row.method] = mask
        pairs = {(pair.method_a, pair.method_b): pair for pair in compare_other_images(masks, seed=seed)}
        for summary in result.table("agreement_summary").to_pylist():
            names = (summary["method_a"], summary["method_b"])
            overlaps = [row for row in rows if (row["method_a"], row["method_b"]) == names]
            iou = np.array([row["iou"] for row in overlaps])
            known = np.isfinite(iou)
            assert known.sum() == summary["images"] == PICTURES
            assert (summary["low"], summary["high"]) == mean_interval(iou[known], bounds=(0, 1), seed=seed)
            others = pairs[names]
            assert (summary["p_value"], summary["other_images"]) == (others.p_value, others.iou)
        again = compare_run(result, masks={"gradcam": result.manifest.mask_rules["gradcam"]})
        assert list(map(repr, again.by_image)) == list(map(repr, result.rows(AgreementRow)))
        assert list(map(repr, again.summary)) == list(map(repr, result.rows(AgreementSummaryRow)))


def check_evidence(results: dict[int, Run]) -> None:
    """Permutations, halves and resamples."""
    model = load_model(**SPEC)
    images = open_images("pictures")
    seen: list[np.ndarray] = []
    hook = model.network[3].register_forward_hook(lambda _, __, maps: seen.append(maps.mean((2, 3)).numpy()))
    model.predict([model.view(item) for item in images])
    hook.remove()
    activations = np.concatenate(seen)[:PICTURES]
    with np.load("more.npz") as table:
        row_of = {name: row for row, name in enumerate(table["images"])}
        scores = table["scores"][[row_of[item.path.name] for item in images]].astype(np.float32)
    of_seed = {}
    for seed, result in results.items():
        labels = label_units(
            activations, scores, model="make", layer="3", similarity="pearson", options=EvidenceOptions(), seed=seed
        )
        units = result.table("units").to_pydict()
        assert labels.evidence is not None
        for name in EVIDENCE:
            np.testing.assert_allclose(units[name], getattr(labels.evidence, name), rtol=1e-3, err_msg=name)
        of_seed[seed] = units
    for name in EVIDENCE:
        assert not np.array_equal(of_seed[0][name], of_seed[5][name], equal_nan=True)


def check_maps(results: dict[int, Run]) -> None:
    """Random maps and samples."""
    model, images = load_model(**SPEC), open_images("pictures")
    for seed, result in results.items():
        maps = explain(model, images[:2], methods=["random", "lime"], options={"lime": {"num_samples": 40}}, seed=seed)
        for saliency in maps:
            stored = result.saliency_map("make", saliency.item_id, saliency.method)
            np.testing.assert_array_equal(stored.values, saliency.values)
    for method in ("random", "lime"):
        first, second = (result.saliency_map("make", "p0", method) for result in results.values())
        assert not np.array_equal(first.values, second.values)


def test_the_seed_decides_every_random_choice(results: dict[int, Run]) -> None:
    check_agreement(results)
    check_evidence(results)
    check_maps(results)
