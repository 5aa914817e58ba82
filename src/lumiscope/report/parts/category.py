"""A category of concepts with its fixed colours."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.runs import NO_LABEL


@dataclass(frozen=True)
class Category:
    """A square of a category's colour, which its name follows. `colour`: of its bars, too; `text`: of text on them."""

    name: str
    colour: str
    text: str

    @property
    def is_hatched(self) -> bool:
        """Whether it is none: units without a label are hatched wherever they are counted."""
        return self.name == NO_LABEL
