"""Tasks one after another in this process. One bad item takes no others with it."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from lumiscope.engines.task import Task
from lumiscope.errors import ImageError, LumiscopeError, ModelError, StoreError
from lumiscope.files import failure_in_words, is_machines
from lumiscope.models import is_out_of_memory
from lumiscope.progress import Steps, Track, silent

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Place = TypeVar("Place", bound="WorkPlace")


class WorkPlace(Protocol):
    """Where tasks are done."""

    def make_ready(self, items: Sequence[Any]) -> None:
        """Prepare what tasks lack, where that is quicker for many at once."""
        ...


@dataclass(frozen=True)
class Failure:
    """An item that could not be worked on. `error`: what happened."""

    item: str
    error: Exception

    @property
    def reason(self) -> str:
        """What happened, in words."""
        said = str(self.error)
        return said if isinstance(self.error, LumiscopeError) else f"{type(self.error).__name__}: {said}"


@dataclass
class LocalEngine:
    """Does tasks in this process, in their order.

    `stop`: whether the first error ends the work. Otherwise a task that fails is cut into tasks of one item each, and
    items that fail alone are added to `failures`. Where memory runs out, half as many items are tried at once, from
    then on; `ModelError` where it does not suffice for one. Where the machine fails, as with a full disk, the work
    ends whatever `stop` says: smaller parts might fit, but they would be other results than those planned.
    """

    stop: bool = False
    track: Track = silent
    failures: list[Failure] = field(default_factory=list)

    def map(
        self,
        tasks: Sequence[Task[Place, Result]],
        place: Place,
        description: str = "",
        *,
        patience: int | None = None,
    ) -> Iterator[tuple[Task[Place, Result], Result]]:
        """Yield each task, or each part that it had to be cut into, with its result. Keys must differ.

        `description`: of the progress bar, which counts steps; "" for none. The last error of a subject is raised where
        no item at all could be worked on: then the fault is not the items'. `patience`: after how many such items;
        None: all.
        """
        _check_keys(tasks)
        place.make_ready(list(dict.fromkeys(item for task in tasks for item in _lacking(task, place))))
        total = sum(task.steps for task in tasks)
        with Steps(self.track if description else silent, description, total) as bar:
            progress = _Progress(bar)
            hopeless: dict[str, list[Exception]] = {}  # subjects that have worked on no item yet, and why
            hopeful: set[str] = set()
            most = sys.maxsize
            for task in tasks:
                waiting = [task]
                while waiting:
                    part = waiting.pop(0)
                    if len(part.items) > most:
                        waiting = [part.part(part.items[:most]), part.part(part.items[most:]), *waiting]
                        continue
                    try:
                        result = part.run(place, progress.inside)
                    except Exception as error:
                        size = self._size_of_parts(part, error)
                        if size is not None:
                            most = size if is_out_of_memory(error) else most
                            waiting = [*_cut(part, size), *waiting]
                            continue
                        progress.done(part.steps)
                        if part.subject not in hopeful:
                            errors = hopeless.setdefault(part.subject, [])
                            errors.append(self.failures[-1].error)
                            if len(errors) == patience:
                                raise errors[-1]  # noqa: B904 - it may be the very error
                    else:
                        hopeful.add(part.subject)
                        hopeless.pop(part.subject, None)
                        progress.done(part.steps)
                        yield part, result
        for errors in hopeless.values():
            raise errors[-1]

    def _size_of_parts(self, task: Task[Place, Result], error: Exception) -> int | None:
        """Into parts of how many items a task is cut that failed; None where its one item is given up.

        Errors: `error` itself, or what it means, where the work ends; an `OSError` of the machine as `StoreError`.
        """
        if is_machines(error):
            raise _of_the_machine(error) from error.__cause__
        several = len(task.items) > 1
        if several and is_out_of_memory(error):
            size = len(task.items) // 2
            logger.warning("memory ran out; going on with at most %d images at once", size)
            return size
        cause = _too_large(error) if is_out_of_memory(error) else error
        if self.stop or not task.items:
            raise cause from error.__cause__ if cause is error else error
        if several:
            logger.info("%s failed (%s); its images are tried one by one", task.key, error)
            return 1
        failure = Failure(task.items[0], cause)
        self.failures.append(failure)
        logger.warning("%s failed: %s", failure.item, failure.reason)
        logger.info("%s failed", failure.item, exc_info=error)
        return None


def _check_keys(tasks: Sequence[Task[Any, Any]]) -> None:
    """A task is known by its key, wherever it is done. Errors: `ValueError` where two have the same."""
    counts = Counter(task.key for task in tasks)
    if repeated := [key for key, count in counts.items() if count > 1]:
        raise ValueError(f"expected a key of its own for each task; several are {repeated[0]!r}")


class _Progress:
    """A bar that moves inside a task, and never back."""

    def __init__(self, bar: Steps) -> None:
        self._bar = bar
        self._before = 0

    def inside(self, steps: int) -> None:
        self._bar.reach(self._before + steps)

    def done(self, steps: int) -> None:
        self._before += steps
        self._bar.reach(self._before)


def _lacking(task: Task[Place, Result], place: Place) -> Sequence[Any]:
    """What a task lacks; nothing where one of its images is gone: which one shows when it is done."""
    try:
        return task.lacking(place)
    except ImageError:
        return ()


def _cut(task: Task[Place, Result], size: int) -> list[Task[Place, Result]]:
    return [task.part(task.items[start : start + size]) for start in range(0, len(task.items), size)]


def _of_the_machine(error: Exception) -> Exception:
    return StoreError(f"the machine failed: {failure_in_words(error)}") if isinstance(error, OSError) else error


def _too_large(error: Exception) -> ModelError:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return ModelError(
        f"memory ran out even with one image at a time ({said}). Free some, or take a smaller --input-size, another "
        "--device or a smaller model."
    )
