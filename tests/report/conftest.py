"""The fake run, made importable under pytest's importlib mode, and a reader for the pages that it gives."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

VOID = {"meta", "img", "br", "input", "link", "hr"}


@pytest.fixture(scope="session")
def fakes(load_module):
    for name in ("fake_units", "fake_manifest", "fake_agreement"):  # fake_run imports them
        load_module(name, f"report/{name}.py")
    return load_module("fake_run", "report/fake_run.py")


class Page(HTMLParser):
    """What a test asks of a page: elements in order, text, and the cells of each table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.text = ""
        self.tables: list[list[list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if {"script", "style"} & set(self.open):
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def rows(self, *header: str) -> list[list[list[str]]]:
        """The body rows of every table whose first header cells are these, cells without outer white space."""
        tables = [[[" ".join(cell.split()) for cell in row] for row in table] for table in self.tables]
        return [table[1:] for table in tables if table and tuple(table[0][: len(header)]) == header]


@pytest.fixture(scope="session")
def page(fakes, tmp_path_factory):
    """The page of the whole fake run."""
    from lumiscope.report import write_report

    run = fakes.fake_run(tmp_path_factory.mktemp("runs") / "every part")
    return Page(write_report(run).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def run(fakes, tmp_path_factory):
    """The run behind `page`."""
    return fakes.fake_run(tmp_path_factory.mktemp("runs") / "every part")


@pytest.fixture(scope="session")
def read():
    """Write the report of a run and read it."""
    from lumiscope.report import write_report

    return lambda run: Page(write_report(run).read_text(encoding="utf-8"))
