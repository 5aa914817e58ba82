"""Whether a model takes what the files of an image set hold, asked once before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lumiscope.errors import ImageError, UsageError
from lumiscope.images import ImageItem, bands_in
from lumiscope.models.black_box import BlackBox
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.vision_model import VisionModel


def check_files(model: VisionModel, items: Iterable[ImageItem]) -> None:
    """Check that a model takes at least one of the images: pictures, or files of as many bands as it is given.

    Headers are read up to the first that fits. Errors: `UsageError` where none does. Other single images are left to
    the run, and so are models of other kinds, which look at images themselves.
    """
    if not isinstance(model, TorchModel | BlackBox):
        return
    came: Counter[int] = Counter()
    for item in items:
        try:
            bands = bands_in(item.path, of_pictures=_takes_bands(model))
        except ImageError:  # which is said of this image alone
            continue
        if _takes(model, bands):
            return
        came[bands] += 1
    if came:
        counted = ", ".join(f"{_in_words(bands)} ({count})" for bands, count in came.most_common())
        raise UsageError(
            f"expected {_wanted(model)}; all {came.total()} files are of another kind: {counted}. {_way(model)}"
        )


def _takes_bands(model: TorchModel | BlackBox) -> bool:
    return isinstance(model, TorchModel) and model.reading.of_bands


def _takes(model: TorchModel | BlackBox, bands: int) -> bool:
    """Whether a model takes a file of so many bands; 0: a picture."""
    if not isinstance(model, TorchModel) or not model.reading.of_bands:
        return bands == 0
    chosen = model.reading.bands
    return bands == model.channels if chosen is None else bands > max((*chosen, *(model.reading.shown or ())))


def _wanted(model: TorchModel | BlackBox) -> str:
    if not isinstance(model, TorchModel) or not model.reading.of_bands:
        return f"pictures for {model.name}"
    chosen = model.reading.bands
    if chosen is None:
        return f"files of {model.channels} bands for {model.name}"
    return f"files with the bands {', '.join(map(str, chosen))} (from 0) for {model.name}"


def _way(model: TorchModel | BlackBox) -> str:
    if isinstance(model, BlackBox):
        return "It can only be asked about pictures: save three of the bands as PNG."
    return "--bands 2,1,0 says which bands it is given, in order, from 0."


def _in_words(bands: int) -> str:
    return f"{bands} band{'s' if bands > 1 else ''}" if bands else "pictures"
