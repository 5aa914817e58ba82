"""The section about units: counts, evidence, trends and what differs between models."""

from __future__ import annotations

import dataclasses
import math
import re

from lumiscope.report.page import Page
from lumiscope.report.sections.dissection.section import dissection
from lumiscope.runs import (
    CategoryRow,
    ConceptCountRow,
    ControlCategoryRow,
    ControlRow,
    LayerRow,
    ModelDifferenceRow,
    ShownUnitRow,
    UnitRow,
)
from lumiscope.testing import fake_row


def words(page) -> str:
    return " ".join(page.text.split())


def test_layers_and_concepts(page, run):
    shown = [row for rows in page.rows("Layer", "Units") for row in rows]
    counts = [row for row in run.rows(ConceptCountRow) if row.units]
    for layer, numbers, (text,) in zip(run.rows(LayerRow), shown[::2], shown[1::2], strict=True):
        share, low, high = (f"{100 * value:.0f}" for value in (layer.share, layer.low, layer.high))
        assert numbers == [
            layer.layer or "All layers",
            str(layer.units),
            f"{layer.labelled} ({share} %; {low}–{high} %)",
            str(layer.unique_concepts),
            f"{layer.heldout_correlation:.2f}",
        ]
        mine = [row for row in counts if (row.model, row.layer) == (layer.model, layer.layer)][:8]
        named = (f"{row.concept}: {row.units} unit{'s' * (row.units > 1)}" for row in mine)
        each = layer.units // 20
        refused = f"no label: dead {each}, constant {each}, not significant {each}, unstable {each}"
        assert text == " ".join((*named, refused))


def test_the_reader_is_told_what_the_evidence_means(page):
    text = words(page)
    assert "with q up to 0.05 at most 5 % are expected to have nothing to do with any concept" in text
    assert "a unit below 50 % is unstable" in text
    assert "Of all 120 units, 80.0 % got a label" in text
    assert "The others: 6 dead, 6 constant, 6 not significant, 6 unstable." in text


def test_untested_labels_are_called_so(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change_manifest(fdr=1.0, min_stability=0.0)
    text = words(read(run))
    assert "in this run q decided nothing" in text
    assert "are expected to be chance" not in text
    assert "is unstable" not in text


def test_trends_have_whiskers_on_one_scale(page, run):
    table = [row for row in run.rows(CategoryRow) if row.layer is not None]
    used = {row.category for row in table if row.units}
    top = max(row.high for row in table if row.category in used - {"no label"})
    drawn = re.findall(r'class="trend-whisker" style="bottom:([\d.]+)%;height:([\d.]+)%"', page.source)
    ends = {round(float(bottom) + float(height), 0) for bottom, height in drawn}
    assert max(ends) == 100
    colours = [row for row in table if row.model == "objects" and row.category == "colour"]
    expected = [(f"{100 * row.low / top:.1f}", f"{100 * (row.high - row.low) / top:.1f}") for row in colours]
    assert [tuple(pair) for pair in drawn[:3]] == expected


def test_models_side_by_side(page, run):
    last = {(row.kind, row.name): row for row in run.rows(ModelDifferenceRow) if row.layer_a == "stage4"}
    tables = [page.rows(title, "objects") for title in ("Category", "Concept")]
    for kind, shown in zip(("category", "concept"), tables, strict=True):
        assert len(shown) == 4  # the last layer, all layers, and two more
        for name, share_a, _, share_b, difference, p_value in shown[0]:
            row = last[kind, name]
            assert share_a == f"{100 * row.units_a / row.of_a:.1f} %"
            assert share_b == f"{100 * row.units_b / row.of_b:.1f} %"
            assert difference.startswith(f"{100 * row.difference:+.1f}".replace("-", "−").replace("+0.0", "0.0"))
            if math.isnan(row.p_adjusted):
                assert p_value == "too few"
            else:
                assert p_value == ("< 0.001" if row.p_adjusted < 0.001 else f"{row.p_adjusted:.3f}")
    only = [row for key, row in last.items() if key[0] == "concept" and not row.units_b]
    assert only
    assert f"Only in objects: {len(only)}" in words(page)


def test_one_model_has_nothing_beside_it(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    del run.tables[ModelDifferenceRow]
    assert "Models side by side" not in read(run).text


def test_a_custom_category_has_a_colour_of_its_own(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)

    for table in (CategoryRow, ModelDifferenceRow):
        run.change(table, lambda row: {"category": "gadget"} if row.category == "object" else {})
    run.change(ModelDifferenceRow, lambda row: {"name": "gadget"} if row.name == "object" else {})
    legend = dissection(Page(run)).legend
    colours = [category.colour for category in legend]
    assert "gadget" in [category.name for category in legend]
    assert len(set(colours)) == len(colours)


def test_many_units_without_a_label_do_not_flatten_the_other_trends(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    share = {"object": 0.02, "no label": 0.98}

    def rare(row):
        value = share.get(row.category, 0.0)
        return {"units": round(1000 * value), "share": value, "low": value, "high": value}

    run.change(CategoryRow, rare)
    page = read(run)
    drawn = re.findall(r'<i class="(hatched)?" style="height:([\d.]+)%', page.source)
    assert set(drawn) == {("", "100.0"), ("hatched", "98.0")}
    assert "their full height is 2.0 %; that of “no label” is 100 %." in words(page)


def test_one_layer_has_no_trend(fakes, tmp_path):
    run = fakes.fake_run(tmp_path)
    for table in (LayerRow, CategoryRow, UnitRow, ConceptCountRow, ShownUnitRow):
        run.tables[table] = [row for row in run.rows(table) if row.layer in ("stem", None)]
    content = dissection(Page(run))
    assert content.highest_share == 0
    assert [(model.trends, len(model.rows)) for model in content.models] == [((), 1)] * 2


def test_categories_stand_beside_those_of_random_networks(fakes, read, tmp_path):
    """Of the layer's units 40 % are named after objects, of three random networks 10, 20 and 30 %."""
    run = fakes.fake_run(tmp_path)
    layer = next(row for row in run.rows(LayerRow) if row.layer)
    at = {"model": layer.model, "layer": layer.layer}
    units = {"object": 8, "no label": 12}
    run.tables[CategoryRow] = [
        dataclasses.replace(row, units=units.get(row.category, 0), share=units.get(row.category, 0) / 20)
        if (row.model, row.layer) == (layer.model, layer.layer)
        else row
        for row in run.rows(CategoryRow)
    ]
    run.tables[ControlRow] = [fake_row(ControlRow, **at, seed=seed, labelled=4) for seed in range(3)]
    run.tables[ControlCategoryRow] = [
        fake_row(ControlCategoryRow, **at, seed=seed, category=category, share=share)
        for category, shares in (("object", (0.1, 0.2, 0.3)), ("colour", (0.0, 0.0, 0.3)), ("texture", (0.0,) * 3))
        for seed, share in enumerate(shares)
    ]
    ((row,),) = read(run).rows("Model", "Layer", "Units", "Labelled", "with random weights")
    assert row[:2] == [layer.model, layer.layer]
    assert row[-1] == "colour 0 % (10 %), object 40 % (20 %)"
