"""Work on batches of images in which one bad image takes no others with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lumiscope.errors import LumiscopeError
from lumiscope.images import ImageItem, Skipped

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
    where every image fails: then the fault is not the images'.
    """
    last: Exception | None = None
    succeeded = False
    for batch in batches:
        try:
            result = work(batch)
        except Exception as first:
            if stop:
                raise
            logger.info("a batch failed (%s); its images are tried one by one", first)
            for item in batch:
                try:
                    result = work([item])
                except Exception as second:
                    last = second
                    logger.warning("%s failed: %s", item.name, _reason(second))
                    logger.info("%s failed", item.name, exc_info=second)
                    failed.append(Skipped(item.name, _reason(second)))
                else:
                    succeeded = True
                    yield [item], result
        else:
            succeeded = True
            yield batch, result
    if last is not None and not succeeded:
        raise last


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, LumiscopeError) else f"{type(error).__name__}: {error}"
