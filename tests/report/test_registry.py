"""A section is a folder that is found; a part is a dataclass with the macro of its name."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib

import pytest

from lumiscope.errors import UsageError
from lumiscope.report import parts
from lumiscope.report._environment import HOME, PARTS, environment
from lumiscope.report.registry import SECTIONS, section
from lumiscope.runs import ContributionRow, PredictionRow

TEMPLATES = sorted(HOME.rglob("*.html.j2"))
SECTION = """
from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import {needs}


@section("certainty", title="Certainty", order=45, needs=({needs},))
def certainty(page: Page) -> list[{needs}]:
    \"\"\"How sure the models are.\"\"\"
    return page.run.rows({needs})
"""


def section_order(name: str) -> int:
    (order,) = re.findall(r"order=(\d+)", (HOME / "sections" / name / "section.py").read_text())
    return int(order)


def test_sections_stand_in_their_order_and_each_is_one_folder() -> None:
    folders = {path.parent.name for path in (HOME / "sections").glob("*/section.py")}
    assert set(SECTIONS) == folders
    orders = {name: section_order(name) for name in SECTIONS}
    assert list(SECTIONS) == sorted(SECTIONS, key=lambda name: orders[name])
    assert len(set(orders.values())) == len(orders)
    assert (next(iter(SECTIONS)), list(SECTIONS)[-1]) == ("summary", "provenance")
    for name, entry in SECTIONS.items():
        assert entry.folder == HOME / "sections" / name
        environment().get_template(entry.template)
        known = {f"{name}.html.j2", f"{name}.css", f"{name}.js", "section.py", "__init__.py"}
        others = [path for path in entry.folder.iterdir() if path.is_file() and path.name not in known]
        assert all(path.name.endswith((".py", ".html.j2")) for path in others)


def test_every_style_and_script_is_that_of_a_section_or_a_part() -> None:
    names = {entry.folder / f"{name}{ending}" for name, entry in SECTIONS.items() for ending in (".css", ".js")}
    names |= {path.with_name(path.name.replace(".html.j2", ".css")) for path in PARTS.glob("*.html.j2")}
    assert {path for ending in ("css", "js") for path in HOME.rglob(f"*.{ending}")} <= {*names, HOME / "page.css"}


@pytest.fixture
def add_section(tmp_path, monkeypatch):
    """Write a section into a package of its own and register it until the test ends."""
    assert len(SECTIONS)  # those of lumiscope are registered
    monkeypatch.setattr(SECTIONS, "_registered", dict(SECTIONS._registered))
    monkeypatch.syspath_prepend(tmp_path)

    def add(needs: str) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "section.py").write_text(SECTION.format(needs=needs))
        (folder / "certainty.html.j2").write_text(
            "{% for row in certainty %}<p>sure: {{ row.probability | percent }}</p>{% endfor %}"
        )
        (folder / "certainty.css").write_text(".certainty { color: red; }")
        (folder / "certainty.js").write_text("'certainly';")
        monkeypatch.delitem(sys.modules, "mine.section", raising=False)
        importlib.import_module("mine.section")
        environment.cache_clear()

    yield add
    environment.cache_clear()
    for name in ("mine", "mine.section"):
        sys.modules.pop(name, None)


def test_a_new_section_is_one_folder(add_section, fakes, read, tmp_path) -> None:
    add_section("PredictionRow")
    run = fakes.fake_run(tmp_path)
    page = read(run)
    links = [link["href"] for link in page.of("a") if not link["href"].startswith("#image-")]
    assert links[links.index("#certainty") - 1 : links.index("#certainty") + 2] == (
        ["#dissection", "#certainty", "#images"]
    )
    assert '<h2 id="certainty-title">Certainty</h2>' in page.source
    assert page.text.count("sure: ") == len(run.rows(PredictionRow)) > 0
    assert ".certainty { color: red; }" in page.source
    assert "'certainly';" in page.source
    assert page.unbalanced == []


def test_a_section_without_rows_is_left_out_with_its_style_and_script(add_section, fakes, read, tmp_path) -> None:
    add_section("ContributionRow")
    run = fakes.fake_run(tmp_path)
    assert not run.rows(ContributionRow)
    page = read(run)
    for trace in (".certainty", "'certainly'", 'id="certainty"'):
        assert trace not in page.source
    assert "#certainty" not in {link["href"] for link in page.of("a")}


def test_two_sections_of_one_name_are_an_error() -> None:
    assert "summary" in SECTIONS
    with pytest.raises(UsageError, match="summary"):

        @section("summary", title="Another", order=1)
        def another(page):
            return None


def test_every_part_has_a_macro_of_its_name_and_says_what_it_draws() -> None:
    macros = {path.name.removesuffix(".html.j2") for path in PARTS.glob("*.html.j2")}
    modules = {path.stem for path in PARTS.glob("*.py")} - {"__init__"}
    assert macros == modules
    for name in modules:
        kind = getattr(
            importlib.import_module(f"{parts.__name__}.{name}"), "".join(word.title() for word in name.split("_"))
        )
        assert kind.__dataclass_params__.frozen
        assert len(kind.__doc__) > 30
        assert not kind.__doc__.startswith(f"{kind.__name__}(")
        assert f"{{% macro {name}(" in (PARTS / f"{name}.html.j2").read_text(encoding="utf-8")


def test_no_template_asks_whether_a_number_is_itself() -> None:
    assert TEMPLATES
    for path in TEMPLATES:
        assert not re.search(r"([\w.]+) [!=]= \1\b", path.read_text(encoding="utf-8")), path


def test_all_files_of_sections_and_parts_are_in_the_package() -> None:
    home = HOME.parent  # src/lumiscope, to which the patterns are relative
    patterns = tomllib.loads((home.parents[1] / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    files = [path.relative_to(home) for path in HOME.rglob("*.*") if path.suffix in (".css", ".j2", ".js")]
    assert len(files) > len(SECTIONS)
    assert [path for path in files if not any(path.match(pattern) for pattern in patterns["lumiscope"])] == []
