"""Comparing methods: which pairs, by which rules, in which order, and what the summary says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumiscope.agreement import (
    GROUND_TRUTH,
    MASK_RULES,
    Agreement,
    OtherImages,
    Overlap,
    PairAgreement,
    compare,
    compare_other_images,
    default_rule,
    parse_rule,
    summarise,
)
from lumiscope.attribution import METHODS
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.runs import AgreementRow, AgreementSummaryRow, table_of
from lumiscope.statistics import mean_interval

# Masks by max:0.5: gradcam the first two pixels, scorecam the first three, mine the last one.
GRADCAM, SCORECAM, MINE = [[9, 9, 0, 0]], [[9, 9, 9, 0]], [[0, 0, 0, 9]]


def triples(agreement):
    return [(row.item_id, row.method_a, row.method_b) for row in agreement.rows]


def test_every_pair_of_every_image_in_the_order_of_appearance(make_map):
    maps = [
        make_map(GRADCAM, "gradcam", "b.png"),
        make_map(SCORECAM, "scorecam", "b.png"),
        make_map(MINE, "mine", "a.png"),
        make_map(SCORECAM, "scorecam", "a.png"),
        make_map(MINE, "mine", "b.png"),
        make_map(GRADCAM, "gradcam", "lonely.png"),
    ]
    agreement = compare(iter(maps), model="net")
    assert triples(agreement) == [
        ("b.png", "gradcam", "scorecam"),
        ("b.png", "gradcam", "mine"),
        ("b.png", "scorecam", "mine"),
        ("a.png", "scorecam", "mine"),
    ]
    assert [row.overlap.iou for row in agreement.rows] == [2 / 3, 0, 0, 0]
    assert agreement.model == "net"


def test_the_table_is_sorted_by_iou_within_each_image(make_map):
    maps = [
        make_map([[0, 0, 0, 0]], "empty", "b.png"),
        make_map([[0, 0, 0, 0]], "nothing", "b.png"),
        make_map(MINE, "mine", "b.png"),
        make_map(GRADCAM, "gradcam", "b.png"),
        make_map(SCORECAM, "scorecam", "b.png"),
        make_map(GRADCAM, "gradcam", "a.png"),
        make_map(SCORECAM, "scorecam", "a.png"),
    ]
    table = compare(maps, model="net").to_table()
    assert table.schema == table_of(AgreementRow).schema
    rows = table.to_pylist()
    assert [row["image"] for row in rows] == ["b.png"] * 10 + ["a.png"]
    assert (rows[0]["method_a"], rows[0]["method_b"], rows[0]["iou"]) == ("gradcam", "scorecam", 2 / 3)
    # Ties keep the order of the pairs.
    assert [row["method_b"] for row in rows[1:4]] == ["mine", "gradcam", "scorecam"]
    assert math.isnan(rows[9]["iou"])
    assert rows[9]["reason"] == "both masks are empty"
    assert math.isnan(rows[10].pop("adjusted")), "on the other image the same overlap as far as the areas allow"
    assert rows[10] == {
        "model": "net",
        "image": "a.png",
        "method_a": "gradcam",
        "method_b": "scorecam",
        "iou": 2 / 3,
        "area_a": 0.5,
        "area_b": 0.75,
        "other_images": pytest.approx(2 / 3),
        "chance": pytest.approx(3 / 7),
        "ceiling": 2 / 3,
        "rule_a": "max:0.5",
        "rule_b": "max:0.5",
        "reason": "",
    }


def test_the_truth_is_compared_with_every_method_where_there_is_some(make_map):
    maps = [make_map(values, method, image) for image in "ab" for method, values in [("x", GRADCAM), ("y", MINE)]]
    truth = {"a": np.array([[True, True, True, True]]), "unused": np.array([[True]])}
    agreement = compare(maps, truth=truth)
    assert triples(agreement) == [("a", "x", "y"), ("a", "x", GROUND_TRUTH), ("a", "y", GROUND_TRUTH), ("b", "x", "y")]
    assert [row.overlap.iou for row in agreement.rows] == [0, 0.5, 0.25, 0]
    assert (agreement.rows[1].rule_a, agreement.rows[1].rule_b) == ("max:0.5", "given")


def test_one_method_with_a_truth_is_enough(make_map):
    assert triples(compare([make_map(MINE)], truth={"cat.png": np.ones((1, 4), bool)})) == [
        ("cat.png", "gradcam", GROUND_TRUTH)
    ]


def test_rules_are_given_or_the_default_of_the_method(make_map, make_segment_map):
    maps = [
        make_map([[9, 4, 1, 0]], "gradcam"),
        make_segment_map([[0, 0, 1, 2]], [0.5, 0.9, -1], num_features=1),
        make_map([[0, 1, 4, 9]], "somebody_elses"),
    ]
    rows = compare(maps, masks={"gradcam": "top:0.75"}).rows
    assert [(row.rule_a, row.rule_b) for row in rows] == [
        ("top:75%", "lime"),
        ("top:75%", "max:0.5"),
        ("lime", "max:0.5"),
    ]
    assert [row.overlap.iou for row in rows] == [1 / 3, 0, 0]


@pytest.mark.parametrize("method", list(METHODS))
def test_the_default_rule_of_every_method_exists(method):
    assert parse_rule(default_rule(method)).name in MASK_RULES


def test_a_rule_for_a_method_that_exists_elsewhere_is_allowed_and_a_typo_is_not(make_map):
    maps = [make_map(GRADCAM, "gradcam"), make_map(MINE, "mine")]
    assert len(compare(maps, masks={"lime": "lime"}).rows) == 1
    assert compare(maps, masks={"mine": "otsu"}).rows[0].rule_b == "otsu"
    with pytest.raises(UnknownNameError, match="unknown method 'gradcan': did you mean gradcam"):
        compare(maps, masks={"gradcan": "otsu"})
    with pytest.raises(UnknownNameError, match="mask rule 'otsi'"):
        compare(maps, masks={"lime": "otsi"})


def test_maps_about_several_targets_are_refused(make_map):
    for other in ("gradcam", "scorecam"):
        with pytest.raises(UsageError, match=rf"cat.png, gradcam explains class 3 .*{other} explains class 5"):
            compare([make_map(GRADCAM, target=3), make_map(MINE, other, target=5)])
    assert compare([make_map(GRADCAM, item_id="a", target=3), make_map(MINE, item_id="b", target=5)]).rows == ()


def test_two_maps_of_one_method_are_refused(make_map):
    with pytest.raises(UsageError, match=r"got two of gradcam for cat\.png"):
        compare([make_map(GRADCAM), make_map(MINE)])


def test_masks_of_several_sizes_are_refused(make_map):
    with pytest.raises(UsageError, match=r"cat.png, that of gradcam is \(1, 4\) and that of mine is \(1, 2\)"):
        compare([make_map(GRADCAM), make_map([[1, 2]], "mine")])
    with pytest.raises(UsageError, match=r"that of ground_truth is \(4, 1\)"):
        compare([make_map(GRADCAM)], truth={"cat.png": np.ones((4, 1), bool)})


def test_a_method_may_not_be_called_the_truth(make_map):
    with pytest.raises(UsageError, match="another name"):
        compare([make_map(GRADCAM, GROUND_TRUTH)])


def test_no_maps_give_empty_tables():
    agreement = compare([])
    assert agreement.to_table() == table_of(AgreementRow).schema.empty_table()
    assert agreement.summary() == table_of(AgreementSummaryRow).schema.empty_table()
    assert agreement.table_rows() == summarise([], {}) == []


def row(image, iou, chance, method_b="y", adjusted=0.5):
    return PairAgreement(image, "x", method_b, Overlap(iou, 0.2, 0.2, chance, 0.9, adjusted), "otsu", "otsu")


def test_the_summary_takes_means_over_the_images_that_are_defined():
    nan = math.nan
    rows = [
        row("1", nan, nan, "undefined", nan),
        row("1", 0.2, 0.1, "low"),
        row("1", 0.5, 0.1),
        row("2", 0.7, 0.2),
        row("3", 0.9, 0.3, adjusted=nan),
        row("4", nan, nan, adjusted=nan),
    ]
    agreement = Agreement(tuple(rows), "net")
    table = agreement.summary(seed=4)
    assert table.schema == table_of(AgreementSummaryRow).schema
    best, low, undefined = table.to_pylist()
    interval = mean_interval([0.5, 0.7, 0.9], bounds=(0, 1), seed=4)
    assert math.isnan(best.pop("other_images")), "without the masks nothing is known of different images"
    assert math.isnan(best.pop("p_value"))
    assert math.isnan(best.pop("adjusted"))
    assert best == {
        "model": "net",
        "method_a": "x",
        "method_b": "y",
        "images": 3,
        "iou": pytest.approx(0.7),
        "low": interval[0],
        "high": interval[1],
        "chance": pytest.approx(0.2),
        "ceiling": pytest.approx(0.9),
    }
    assert (low["method_b"], low["images"], low["iou"]) == ("low", 1, 0.2)
    assert (low["low"], low["high"]) == (0, 1), "one image says nothing"
    assert (undefined["method_b"], undefined["images"]) == ("undefined", 0)
    assert all(math.isnan(undefined[name]) for name in ("iou", "low", "high", "chance", "adjusted", "p_value"))


def test_the_seed_decides_interval_and_test_over_thirty_images(make_map):
    """Up to 7 images the test counts all pairings and needs no seed; with 30 it draws some."""
    generator = np.random.default_rng(3)
    maps = [make_map(generator.random((24, 24)), method, str(image)) for image in range(30) for method in ("x", "y")]
    agreement = compare(maps, masks={"x": "top:20%", "y": "top:20%"})
    iou = [row.overlap.iou for row in agreement.rows]
    summaries = {seed: agreement.summary(seed).to_pylist()[0] for seed in (0, 4)}
    masks = {image: {method: agreement.masks[image][method] for method in ("x", "y")} for image in agreement.masks}
    for seed, summary in summaries.items():
        assert (summary["low"], summary["high"]) == mean_interval(iou, bounds=(0, 1), seed=seed)
        (others,) = compare_other_images(masks, seed=seed)
        assert (summary["p_value"], summary["other_images"]) == (others.p_value, others.iou)
    assert summaries[0]["p_value"] != summaries[4]["p_value"]
    assert summaries[0]["p_value"] == pytest.approx(summaries[4]["p_value"], rel=0.2)
    assert agreement.summary() == agreement.summary(0)


def test_independent_masks_are_not_found_to_agree_and_related_ones_are(make_map):
    generator = np.random.default_rng(0)
    maps = []
    for image in range(30):
        values = generator.random((20, 20))
        maps.append(make_map(values, "x", str(image)))
        maps.append(make_map(generator.random((20, 20)), "unrelated", str(image)))
        maps.append(make_map(values + generator.random((20, 20)), "related", str(image)))
    rules = dict.fromkeys(["x", "unrelated", "related"], "top:20%")
    rows = {(row["method_a"], row["method_b"]): row for row in compare(maps, masks=rules).summary().to_pylist()}
    assert rows["x", "related"]["p_value"] < 0.001
    assert rows["x", "related"]["low"] > rows["x", "related"]["chance"] == pytest.approx(1 / 9)
    assert rows["x", "related"]["other_images"] == pytest.approx(1 / 9, abs=0.01), "of noise, what areas give"
    assert rows["x", "unrelated"]["p_value"] > 0.05
    assert abs(rows["x", "unrelated"]["adjusted"]) < 0.03


def test_summaries_of_several_models_stay_in_order():
    rows = row("1", 0.2, 0.1), row("2", 0.4, 0.1)
    agreements = [Agreement(rows, "b"), Agreement((*rows, row("3", 0.9, 0.1)), "a")]
    each = [agreement.table_rows() for agreement in agreements]
    others = {model: [OtherImages("x", "y", value, {}, value)] for model, value in (("a", 0.1), ("b", 0.3))}
    summaries = summarise([row for rows in each for row in rows], others, seed=2)
    assert summaries == [summary for rows in each for summary in summarise(rows, others, seed=2)]
    assert [(row.other_images, row.p_value) for row in summaries] == [(0.3, 0.3), (0.1, 0.1)]
    assert [(row.model, row.images) for row in summaries] == [("b", 2), ("a", 3)]
