"""Work on batches of images in which one bad image takes no others with it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lumiscope.errors import LumiscopeError, ModelError
from lumiscope.images import ImageItem, Skipped
from lumiscope.models.backends.inference import is_out_of_memory

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def attempt(
    batches: Iterable[Sequence[ImageItem]],
    work: Callable[[Sequence[ImageItem]], Result],
    failed: list[Skipped],
    *,
    stop: bool,
) -> Iterator[tuple[Sequence[ImageItem], Result]]:
    """Yield each batch with what `work` makes of it; a batch that fails is tried image by image.

    Images that fail alone are added to `failed`. With `stop` the first error is raised, and it is raised in any case
    where every image fails: then the fault is not the images'. Where memory runs out, half as many images are tried at
    once, from then on; `ModelError` where it does not suffice for one.
    """
    last: Exception | None = None
    succeeded = False
    most = sys.maxsize
    for planned in batches:
        left, size = list(planned), most
        while left:
            batch, left = left[:size], left[size:]
            try:
                result = work(batch)
            except Exception as error:
                if len(batch) > 1 and is_out_of_memory(error):
                    most = size = len(batch) // 2
                    left = [*batch, *left]
                    logger.warning("memory ran out; going on with at most %d images at once", most)
                elif stop and is_out_of_memory(error):
                    raise _too_large(error) from error
                elif stop:
                    raise
                elif len(batch) > 1:
                    logger.info("a batch failed (%s); its images are tried one by one", error)
                    size, left = 1, [*batch, *left]
                else:
                    last = _too_large(error) if is_out_of_memory(error) else error
                    _skip(batch[0], last, failed)
            else:
                succeeded = True
                yield batch, result
    if last is not None and not succeeded:
        raise last


def _too_large(error: Exception) -> ModelError:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return ModelError(
        f"memory ran out even with one image at a time ({said}). Free some, or take a smaller --input-size, another "
        "--device or a smaller model."
    )


def _skip(item: ImageItem, error: Exception, failed: list[Skipped]) -> None:
    logger.warning("%s failed: %s", item.name, _reason(error))
    logger.info("%s failed", item.name, exc_info=error)
    failed.append(Skipped(item.name, _reason(error)))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, LumiscopeError) else f"{type(error).__name__}: {error}"
