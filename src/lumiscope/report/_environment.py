"""The templates of the report: where they are, and how they write numbers and draw parts."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from lumiscope.counts import counted
from lumiscope.report import numbers
from lumiscope.report.registry import SECTIONS

HOME = Path(__file__).parent
PARTS = HOME / "parts"
FILTERS = (
    numbers.decimal,
    numbers.significant,
    numbers.percent,
    numbers.whole,
    counted,
    numbers.p_value,
    numbers.duration,
    numbers.signed,
    numbers.small,
    numbers.share,
    numbers.interval,
)


def sentence(text: str) -> str:
    """A clause as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


@functools.cache
def environment() -> Environment:
    """The templates: `page/NAME`, `parts/NAME` and `SECTION/NAME`; a name that a template misses is an error."""
    folders = {"page": HOME, "parts": PARTS, **{name: section.folder for name, section in SECTIONS.items()}}
    templates = Environment(
        loader=PrefixLoader({prefix: FileSystemLoader(folder) for prefix, folder in folders.items()}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update({function.__name__: function for function in FILTERS})
    templates.filters["draw"] = draw
    templates.filters["sentence"] = sentence
    templates.tests["defined_number"] = numbers.defined
    return templates


def draw(part: object) -> Markup:
    """A part as HTML, by the macro that has its name: `{{ bar | draw }}` draws a `Bar` as parts/bar.html.j2 says."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(part).__name__).lower()
    macro = getattr(environment().get_template(f"parts/{name}.html.j2").module, name)
    return Markup(macro(part))


def part_styles() -> Markup:
    """The style sheets of all parts."""
    return Markup("".join(path.read_text(encoding="utf-8") for path in sorted(PARTS.glob("*.css"))))


def without_links(text: str) -> str:
    """A page in which an address, as a model's spec or a citation may be one, is text that nothing takes for a link."""
    return text.replace("://", ":&#47;&#47;")
