"""The whole page: one file, safe, readable, and no number in it that the tables do not have."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from lumiscope.runs import Source, UnitRow


def test_path_and_no_leftovers(fakes, tmp_path):
    from lumiscope.report import write_report

    assert write_report(fakes.fake_run(tmp_path)) == tmp_path / "report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_same_run_gives_the_same_bytes(fakes, tmp_path):
    from lumiscope.report import write_report

    first = write_report(fakes.fake_run(tmp_path)).read_bytes()
    assert write_report(fakes.fake_run(tmp_path)).read_bytes() == first


def test_nothing_comes_from_outside(page):
    for address in ("http://", "https://", 'src="//', "@import", "@font-face", "xmlns", "<link", "://"):
        assert address not in page.source, address
    pictures = [attributes["src"] for attributes in page.of("img")]
    assert pictures
    assert all(source.startswith("data:image/webp;base64,") for source in pictures)
    addresses = re.findall(r"url\((.{0,12})", page.source)
    assert addresses
    assert set(addresses) == {"data:image/w"}
    assert not any("src" in attributes for attributes in page.of("script"))
    assert {link["href"][0] for link in page.of("a")} == {"#"}


def test_an_address_in_a_spec_is_still_readable(page):
    assert "https://models.example/predict" in page.text  # as text that a reader sees and can copy


def test_markup(page):
    assert page.unbalanced == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.of("a")} <= set(ids)
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page.source


def test_accessible(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attributes["alt"] for attributes in page.of("img"))
    assert all(attributes["aria-label"] for _, attributes in page.elements if attributes.get("role") == "img")


def test_names_are_escaped(page):
    assert "<b>x</b>&" in page.text
    assert "<b>x</b>" not in page.source
    assert "&lt;b&gt;x&lt;/b&gt;&amp;" in page.source


def test_a_label_cannot_leave_the_script(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    label = "</script><b>out</b> http://example.org & more"
    run.change(UnitRow, lambda row: {"label": label} if row.unit == 5 else {})
    page = read(run)
    assert "</script><b>" not in page.source
    assert "http://" not in page.source
    data = re.search(r'id="unit-data">(.*?)</script>', page.source, re.S)[1]
    assert label in json.loads(data)["words"]


def test_a_name_that_is_no_unicode(fakes, read, tmp_path):
    run = fakes.fake_run(tmp_path)
    run.change_manifest(images=Source.model_construct(source="caf\udce9", count=4))
    assert "caf\\udce9" in read(run).text


PARTS = {"explained": "Images", "dissected": "Dissection", "compared": "Agreement"}


@pytest.mark.parametrize("missing", [*PARTS, "concluded"])
def test_each_part_may_be_missing(fakes, read, tmp_path, missing):
    page = read(fakes.fake_run(tmp_path, **{missing: False}))
    links = {link["href"] for link in page.of("a") if not link["href"].startswith(("#image-", "#table-"))}
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    left_out = {PARTS[missing]} if missing in PARTS else set()
    if missing == "explained":
        left_out.add("Agreement")
    expected = {"Summary", "Models", "Dissection", "Images", "Agreement", "Skipped"} - left_out
    assert links == {f"#{name.lower()}" for name in expected} | {"#provenance"}
    assert {link[1:] for link in links} <= ids
    assert page.unbalanced == []


def test_nothing_at_all(fakes, read, tmp_path):
    page = read(fakes.fake_run(tmp_path, explained=False, dissected=False, concluded=False))
    assert "Nothing was skipped." in page.text
    assert "asked for nothing" in page.text
    assert "<script>" not in page.source
