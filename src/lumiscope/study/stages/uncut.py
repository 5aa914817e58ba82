"""What tasks have in common that are about no items which could be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy


class UncutTask:
    """A task of one step that looks at no image and is never cut: what goes wrong in it ends the study."""

    @property
    def items(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def subject(self) -> str:
        """Nothing in particular."""
        return ""

    @property
    def steps(self) -> int:
        """One."""
        return 1

    def part(self, items: Sequence[str]) -> Self:
        """Itself."""
        return self

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """No image is looked at."""
        return ()
