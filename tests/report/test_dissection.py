"""The section about units: counts, evidence, trends and what differs between models."""

from __future__ import annotations

import json
import math
import re

import pyarrow as pa


def words(page) -> str:
    return " ".join(page.text.split())


def changed(table: pa.Table, change) -> pa.Table:
    return pa.Table.from_pylist([change(row) for row in table.to_pylist()], schema=table.schema)


def test_layers_and_concepts(page, run):
    shown = [row for rows in page.rows("Layer", "Units") for row in rows]
    counts = [row for row in run.table("concept_counts").to_pylist() if row["units"]]
    for layer, numbers, (text,) in zip(run.table("layers").to_pylist(), shown[::2], shown[1::2], strict=True):
        share, low, high = (f"{100 * layer[name]:.0f}" for name in ("share", "low", "high"))
        assert numbers == [
            layer["layer"] or "All layers",
            str(layer["units"]),
            f"{layer['labelled']} ({share} %; {low}–{high} %)",
            str(layer["unique_concepts"]),
            f"{layer['heldout_correlation']:.2f}",
        ]
        mine = [row for row in counts if (row["model"], row["layer"]) == (layer["model"], layer["layer"])][:8]
        named = (f"{row['concept']}: {row['units']} unit{'s' * (row['units'] > 1)}" for row in mine)
        each = layer["units"] // 20
        refused = f"no label: dead {each}, constant {each}, not significant {each}, unstable {each}"
        assert text == " ".join((*named, refused))


def test_the_reader_is_told_what_the_evidence_means(page):
    text = words(page)
    assert "of the labels with q up to 0.05 about 5 % are expected to be chance" in text
    assert "a unit below 50 % is unstable" in text
    assert "Of all 120 units, 80.0 % got a label" in text
    assert "The others: 6 dead, 6 constant, 6 not significant, 6 unstable." in text


def test_untested_labels_are_called_so(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.manifest.update(fdr=1.0, min_stability=0.0)
    text = words(read(run))
    assert "in this run q decided nothing" in text
    assert "are expected to be chance" not in text
    assert "is unstable" not in text


def test_all_units_are_in_the_table_of_all_units(page, run):
    data = json.loads(re.search(r'id="unit-data">(.*?)</script>', page.source, re.S)[1])
    rows = run.table("units").to_pylist()
    assert len(data["rows"]) == len(rows) == 120

    def word(index: int) -> str | None:
        return None if index < 0 else data["words"][index]

    for packed, row in zip(data["rows"], rows, strict=True):
        layer, unit, label, category, score, margin, runner_up, reason, q, heldout, stability, further = packed
        assert data["layers"][layer] == [row["model"], row["layer"]]
        assert (unit, word(label), word(category)) == (row["unit"], row["label"], row["category"])
        assert (word(runner_up), word(reason) or "") == (row["runner_up"], row["reason"])
        assert [word(index) for index in further] == row["further_labels"]
        names = ("score", "margin", "q_value", "heldout_correlation", "stability")
        for shown, name in zip((score, margin, q, heldout, stability), names, strict=True):
            assert (shown is None) == math.isnan(row[name])
            assert shown is None or math.isclose(shown, row[name], rel_tol=1e-3)


def test_trends_have_whiskers_on_one_scale(page, run):
    table = [row for row in run.table("categories").to_pylist() if row["layer"] is not None]
    top = max(row["high"] for row in table if row["category"] in {x["category"] for x in table if x["units"]})
    drawn = re.findall(r'class="trend-whisker" style="bottom:([\d.]+)%;height:([\d.]+)%"', page.source)
    ends = {round(float(bottom) + float(height), 0) for bottom, height in drawn}
    assert max(ends) == 100
    colours = [row for row in table if row["model"] == "objects" and row["category"] == "colour"]
    expected = [(f"{100 * row['low'] / top:.1f}", f"{100 * (row['high'] - row['low']) / top:.1f}") for row in colours]
    assert [tuple(pair) for pair in drawn[:3]] == expected


def test_models_side_by_side(page, run):
    rows = run.table("model_differences").to_pylist()
    last = {(row["kind"], row["name"]): row for row in rows if row["layer_a"] == "stage4"}
    tables = [page.rows(title, "objects") for title in ("Category", "Concept")]
    for kind, shown in zip(("category", "concept"), tables, strict=True):
        assert len(shown) == 4  # the last layer, all layers, and two more
        for name, share_a, _, share_b, difference, p_value in shown[0]:
            row = last[kind, name]
            assert share_a == f"{100 * row['units_a'] / row['of_a']:.1f} %"
            assert share_b == f"{100 * row['units_b'] / row['of_b']:.1f} %"
            assert difference.startswith(f"{100 * row['difference']:+.1f}".replace("-", "−").replace("+0.0", "0.0"))
            if math.isnan(row["p_adjusted"]):
                assert p_value == "too few"
            else:
                assert p_value == ("< 0.001" if row["p_adjusted"] < 0.001 else f"{row['p_adjusted']:.3f}")
    only = [row for key, row in last.items() if key[0] == "concept" and not row["units_b"]]
    assert f"Only in objects: {len(only)}" in words(page)


def test_one_model_has_nothing_beside_it(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.tables["model_differences"] = run.tables["model_differences"].slice(0, 0)
    assert "Models side by side" not in read(run).text


def test_a_custom_category_has_a_colour_of_its_own(fakes, tmp_path):
    from lumiscope.report.dissection import dissection_of
    from lumiscope.report.embed import Thumbnails

    run = fakes.fake_run(tmp_path)

    def renamed(row):
        return {**row, "category": "gadget" if row["category"] == "object" else row["category"]}

    for name in ("categories", "model_differences"):
        run.tables[name] = changed(run.tables[name], renamed)
    run.tables["model_differences"] = changed(
        run.tables["model_differences"],
        lambda row: {**row, "name": "gadget" if row["name"] == "object" else row["name"]},
    )
    legend = dissection_of(run, Thumbnails()).legend
    colours = [category.colour for category in legend]
    assert "gadget" in [category.name for category in legend]
    assert len(set(colours)) == len(colours)


def test_many_units_without_a_label_do_not_flatten_the_other_trends(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    share = {"object": 0.02, "no label": 0.98}

    def rare(row):
        value = share.get(row["category"], 0.0)
        return {**row, "units": round(1000 * value), "share": value, "low": value, "high": value}

    run.tables["categories"] = changed(run.tables["categories"], rare)
    page = read(run)
    drawn = re.findall(r'<i class="(hatched)?" style="height:([\d.]+)%', page.source)
    assert set(drawn) == {("", "100.0"), ("hatched", "98.0")}
    assert "their full height is 2.0 %; that of “no label” is 100 %." in words(page)


def test_one_layer_has_no_trend(fakes, tmp_path):
    from lumiscope.report.dissection import dissection_of
    from lumiscope.report.embed import Thumbnails

    run = fakes.fake_run(tmp_path)
    for name in ("layers", "categories", "units", "concept_counts"):
        rows = [row for row in run.tables[name].to_pylist() if row["layer"] in ("stem", None)]
        run.tables[name] = pa.Table.from_pylist(rows, schema=run.tables[name].schema)
    found = dissection_of(run, Thumbnails())
    assert found.top_share == 0
    assert all(not model.trends and len(model.rows) == 1 for model in found.models)
