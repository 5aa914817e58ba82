"""The templates of the report and how they write numbers."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from lumiscope.report import numbers
from lumiscope.report.units import CARD_IMAGES, bin_text

FILTERS = (
    numbers.decimal,
    numbers.significant,
    numbers.percent,
    numbers.whole,
    numbers.counted,
    numbers.p_value,
    numbers.duration,
    numbers.signed,
    numbers.small,
    bin_text,
)


def environment() -> Environment:
    """The templates; a name that a template misses is an error."""
    made = Environment(
        loader=PackageLoader("lumiscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["card_images"] = CARD_IMAGES
    made.filters.update({function.__name__: function for function in FILTERS})
    return made


def without_links(text: str) -> str:
    """A page in which an address, as a model's spec or a citation may be one, is text that nothing takes for a link."""
    return text.replace("://", ":&#47;&#47;")
