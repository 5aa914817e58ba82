"""The progress of work that has as many steps for every image."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.images import ImageItem
from lumiscope.progress import Steps, Track


class ImageSteps(Steps):
    """A bar of `each` steps for every image. `track`: draws it, and the bars of what takes long inside a step."""

    def __init__(self, track: Track, description: str, images: Sequence[ImageItem], each: int) -> None:
        super().__init__(track, description, len(images) * each)
        self.track = track
        self._each = each
        self._places = {item.id: place for place, item in enumerate(images)}

    def done(self, batch: Sequence[ImageItem], steps: int) -> None:
        """So many steps are done for each of these images, which follow one another, and all for those before."""
        self.reach(self._places[batch[0].id] * self._each + len(batch) * steps)
