"""What a report says outside its findings defines and describes: what concludes is a finding, computed and tested.

No test can read. This one holds the words with which captions concluded what nobody had tested; each use that stays has
its reason here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lumiscope.report
from lumiscope.runs import TABLES

REPORT = Path(lumiscope.report.__file__).parent
STRONG = (
    r"prov(?:e|es|ed|en)|(?:shows?|means?|suggests?|implies|imply|follows?) that|(?:shows?|tells?) nothing of|"
    r"indicates?|therefore|thus|hence|no other|(?:un)?likely|expected|surely|certain(?:ly)?|"
    r"(?:so|to|can|not) trust|trust(?:ed|worthy)|reliable|how probable|unrelated"
)
FURTHER = (
    r"nothing|(?:im)?probabl[ey]|better|worse|best|worst|more than|less than|as well|depends?|because|"
    r"reach(?:es|ed)?|chance|believ(?:e|ed|able)|always|never|should|explains?"
)
IN_TABLES = re.compile(rf"\b(?:{STRONG})\b", re.IGNORECASE)
IN_REPORTS = re.compile(rf"\b(?:{STRONG}|{FURTHER})\b", re.IGNORECASE)
ALLOWED = {
    "0 is nothing in common": "what an IoU of 0 is",
    "would reach if their pixels were placed at random": "defines a number",
    "More than that": "the heading of a p-value that is defined above it",
    "reaches with the other method's of different images": "defines a number",
    "its score does not depend on the units of": "computed: silencing the layer leaves the score as it is",
    "keeps what reaches half of the map's maximum": "defines a mask rule",
    "The most probable class": "the class with the highest probability, which is the model's",
    "had nothing to do with each other": "the null hypothesis of p, not an outcome",
    "would the best of all concepts look as good": "defines p",
    "Because every unit of a layer is tested": "why p is adjusted",
    "are expected to have nothing to do with any concept": "what the procedure of Benjamini and Hochberg holds",
    "in this run q decided nothing": "how the run was set up",
    "Could be the best": "the heading of a rank confidence set",
    "go along with the unit as well as its label does, or better, are": "defines that set",
    "constant: always the same": "defines a reason",
    "its best word comes first in too few resamples": "defines a reason",
    "their label predicts best on held-out images": "the order of a list",
    "More than light and colour": "the heading of a tested number that is defined below it",
    "what labels explain beyond those of random networks is, in the summary": "points to the finding",
    "“too few” means that no way to deal out so few clusters could be told from chance": "defines a word",
    "reaches the least IoU asked for": "defines a detector",
    "The best detector of every concept": "the one with the highest IoU, which stands beside it",
    "Best unit": "the one with the highest IoU, which stands beside it",
    "asked for nothing that would lead to a conclusion": "what a run without findings says",
    "Nothing was skipped": "counts what is in the table",
    "as nothing states it": "of a model's input, which was assumed",
    "maps that know nothing of the picture": "what the baselines are, which were made without it",
    "Does the map depend on the network, and on the class?": "the question of a table, whose rows answer it",
    "nothing else changed": "how the pictures were made",
}


def _template(source: str) -> str:
    """The words of a template: text, spoken attributes, and the texts inside its expressions."""
    code = re.findall(r"\{[{%].*?[%}]\}", source, re.DOTALL)
    inside = [text for part in code for text in re.findall(r"\"([^\"]* [^\"]*)\"|'([^']* [^']*)'", part)]
    plain = re.sub(r"\{[{%#].*?[%#}]\}", "", source, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', plain)
    text = re.sub(r"<[^>]*>", " ", re.sub(r"</?(?:a|b|i|em|code)\b[^>]*>", "", plain))
    return " | ".join([" ".join(text.split()), *spoken, *(first or second for first, second in inside)])


def _module(source: str) -> str:
    """The texts of a module, but for docstrings."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return " | ".join(node.value for node in constants if isinstance(node.value, str))


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(REPORT.rglob("*.j2")):
        yield str(path.relative_to(REPORT)), _template(path.read_text(encoding="utf-8"))
    for folder in ("sections", "parts"):
        for path in sorted((REPORT / folder).rglob("*.py")):
            yield str(path.relative_to(REPORT)), _module(path.read_text(encoding="utf-8"))


TEXTS = dict(_texts())


def conclusions(text: str) -> list[str]:
    """Each concluding word of a text with what is around it, but for what is allowed."""
    for allowed in ALLOWED:
        text = re.sub(re.escape(allowed), "…", text, flags=re.IGNORECASE)
    return [text[max(0, match.start() - 50) : match.end() + 50] for match in IN_REPORTS.finditer(text)]


@pytest.mark.parametrize("name", TEXTS)
def test_captions_do_not_conclude(name: str) -> None:
    assert not conclusions(TEXTS[name]), "say what it is, make it a finding, or give the reason why it is neither"


def test_every_exception_is_used_and_is_one() -> None:
    everything = " ".join(TEXTS.values()).lower()
    assert [text for text in ALLOWED if text.lower() not in everything] == []
    assert [text for text in ALLOWED if not IN_REPORTS.search(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "No other method can be expected to agree with it more.",
        "the straight line is what unrelated maps reach",
        "How probable each rank is on other images of the kind",
        "A layer that gets no more labels than that shows nothing of training by its labels.",
        "Grey rows are differences that chance could explain.",
        "<i>not significant</i>: chance would do as well",
        "{{ 'so trust the order alone' }}",
        '<p aria-label="yellow is what its answer depends on most">{{ method }}</p>',
    ],
)
def test_what_captions_once_concluded_is_seen(text: str) -> None:
    assert conclusions(_template(text))


def test_descriptions_of_tables_do_not_conclude() -> None:
    texts = [
        text
        for table in TABLES.values()
        for text in (table.doc, table.row.__doc__ or "", *(column.doc for column in table.columns))
    ]
    assert [text for text in texts if IN_TABLES.search(text)] == []
