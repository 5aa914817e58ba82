"""Tasks are done in order; what fails takes nothing with it; a bar tells how far it is and never goes back."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
import torch

from lumiscope.engines import LocalEngine, Report
from lumiscope.errors import ImageError, ModelError, StoreError

T = TypeVar("T")
LETTERS = tuple("abcdefg")


@dataclass
class Place:
    """Where the tests work; it remembers what was made ready."""

    ready: list[list[str]] = field(default_factory=list)

    def make_ready(self, items: Sequence[str]) -> None:
        self.ready.append(list(items))


@dataclass(frozen=True)
class Spell:
    """Join letters, two steps each; `before` is asked first."""

    items: tuple[str, ...]
    before: Callable[[tuple[str, ...]], None] = lambda items: None
    subject: str = ""

    @property
    def key(self) -> str:
        return self.subject + "".join(self.items)

    @property
    def steps(self) -> int:
        return 2 * len(self.items)

    def part(self, items: Sequence[str]) -> Spell:
        return replace(self, items=tuple(items))

    def lacking(self, place: Place) -> Sequence[str]:
        if "?" in self.items:
            raise ImageError("? is gone")
        return self.items

    def run(self, place: Place, report: Report) -> str:
        self.before(self.items)
        for number in range(len(self.items)):
            report(number + 1)
        return "".join(self.items)


def test_tasks_of_one_key_are_refused():
    with pytest.raises(ValueError, match="several are 'ab'"):
        list(LocalEngine().map([Spell(("a", "b")), Spell(("c",)), Spell(("a", "b"))], Place()))


@dataclass(frozen=True)
class Whole(Spell):
    """A task that is about no items, and cannot be cut."""

    @property
    def key(self) -> str:
        return "whole"

    def run(self, place: Place, report: Report) -> str:
        raise ValueError("broken")


def planned(before: Callable[[tuple[str, ...]], None], size: int = 4, subject: str = "") -> list[Spell]:
    return [Spell(LETTERS[start : start + size], before, subject) for start in range(0, len(LETTERS), size)]


def fails_with(*bad: str) -> Callable[[tuple[str, ...]], None]:
    """What raises where one of `bad` is among the items."""

    def before(items: tuple[str, ...]) -> None:
        for letter in bad:
            if letter in items:
                raise ImageError(f"{letter} is bad")

    return before


class Bar:
    """A `Track` that remembers where its bar stood, step by step."""

    def __init__(self) -> None:
        self.total = 0
        self.stood: list[int] = []

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        self.total = total
        for number, item in enumerate(items):
            self.stood.append(number)
            yield item
        self.stood.append(total)


def done(engine: LocalEngine, tasks: Sequence[Spell], place: Place | None = None, **given: object) -> list[str]:
    parts = list(engine.map(tasks, place or Place(), "spelling", **given))  # type: ignore[arg-type]
    assert ["".join(part.items) for part, _ in parts] == [result for _, result in parts]
    return [result for _, result in parts]


def test_results_come_in_the_order_of_the_tasks_and_everything_is_made_ready_at_once() -> None:
    place = Place()
    tasks = [Spell(("c", "a")), Spell(("b",)), Spell(("a", "d"))]
    assert done(LocalEngine(), tasks, place) == ["ca", "b", "ad"]
    assert place.ready == [["c", "a", "b", "d"]]
    assert done(LocalEngine(), []) == []


def test_a_task_that_fails_is_cut_into_single_items_and_the_bad_one_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = LocalEngine()
    assert done(engine, planned(fails_with("b"))) == ["a", "c", "d", "efg"]
    assert [(failure.item, failure.reason) for failure in engine.failures] == [("b", "b is bad")]
    assert caplog.messages == ["b failed: b is bad"]


def test_errors_that_are_nobodys_words_say_their_kind() -> None:
    def before(items: tuple[str, ...]) -> None:
        if "b" in items:
            raise ValueError("out of range")

    engine = LocalEngine()
    done(engine, planned(before))
    assert [failure.reason for failure in engine.failures] == ["ValueError: out of range"]


def test_the_first_error_ends_the_work_where_that_is_asked_for() -> None:
    tried: list[tuple[str, ...]] = []

    def before(items: tuple[str, ...]) -> None:
        tried.append(items)
        fails_with("b")(items)

    with pytest.raises(ImageError, match="b is bad"):
        done(LocalEngine(stop=True), planned(before))
    assert tried == [LETTERS[:4]]


def test_a_task_without_items_ends_the_work() -> None:
    with pytest.raises(ValueError, match="broken"):
        done(LocalEngine(), [Whole(())])


def test_where_no_item_works_the_fault_is_not_theirs() -> None:
    with pytest.raises(ImageError, match="g is bad"):
        done(LocalEngine(), planned(fails_with(*LETTERS)))


def test_every_subject_must_work_on_some_item() -> None:
    """One model that works on all images must not hide another that works on none."""
    works = planned(fails_with("b"), subject="first")
    broken = planned(fails_with(*LETTERS), subject="second")
    for tasks in (works + broken, broken + works):
        with pytest.raises(ImageError, match="g is bad"):
            done(LocalEngine(), tasks)
    rarely = planned(fails_with(*LETTERS[:-1]), subject="second")
    expected = ["a", "c", "d", "efg", "g"]
    assert done(LocalEngine(), works + rarely) == expected


@pytest.mark.parametrize("subjects", [("",), ("works", "")])
def test_patience_says_after_how_many_items_the_work_is_given_up(subjects: tuple[str, ...]) -> None:
    tried: list[str] = []

    def before(items: tuple[str, ...]) -> None:
        tried.extend(items if len(items) == 1 else ())
        fails_with(*LETTERS)(items)

    tasks = [Spell(("x",), subject="works")] * (len(subjects) - 1) + planned(before)
    with pytest.raises(ImageError, match="c is bad"):
        done(LocalEngine(), tasks, patience=3)
    assert tried == ["a", "b", "c"]


def test_patience_ends_with_the_first_success() -> None:
    engine = LocalEngine()
    assert done(engine, planned(fails_with(*"bcdefg"), size=1), patience=3) == ["a"]
    assert len(engine.failures) == 6


@pytest.mark.parametrize("stop", [False, True])
def test_where_memory_runs_out_half_as_many_items_go_on(stop: bool, caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    def before(items: tuple[str, ...]) -> None:
        tried.append(len(items))
        if len(items) > 2:
            raise MemoryError

    engine = LocalEngine(stop=stop)
    assert done(engine, planned(before)) == ["ab", "cd", "ef", "g"]
    assert tried == [4, 2, 2, 2, 1]
    assert engine.failures == []
    assert caplog.messages == ["memory ran out; going on with at most 2 images at once"]


@pytest.mark.parametrize("stop", [False, True])
def test_memory_that_does_not_suffice_for_one_item_is_said_in_words(stop: bool) -> None:
    def before(items: tuple[str, ...]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand more")

    with pytest.raises(ModelError, match=r"even with one image at a time \(CUDA out of memory. .* 2 GiB\). Free some"):
        done(LocalEngine(stop=stop), planned(before))


def test_an_item_that_is_gone_before_it_was_looked_for_fails_alone() -> None:
    def before(items: tuple[str, ...]) -> None:
        if "?" in items:
            raise ImageError("? is gone")

    engine, place = LocalEngine(), Place()
    tasks = [Spell(("a", "?", "b"), before), Spell(("c",), before)]
    assert done(engine, tasks, place) == ["a", "b", "c"]
    assert place.ready == [["c"]]
    assert [failure.item for failure in engine.failures] == ["?"]


@pytest.mark.parametrize("bad", [(), ("b",), ("a", "g")])
def test_the_bar_counts_steps_and_never_goes_back(bad: tuple[str, ...]) -> None:
    def before(items: tuple[str, ...]) -> None:
        if len(items) > 2:
            raise MemoryError
        fails_with(*bad)(items)

    bar = Bar()
    done(LocalEngine(track=bar), planned(before))
    assert bar.total == 14
    assert bar.stood == list(range(15))


def test_a_bar_stands_where_the_work_is() -> None:
    bar = Bar()
    begun: list[int] = []
    tasks = planned(lambda items: begun.append(bar.stood[-1]), size=2)
    ended = [bar.stood[-1] for _ in LocalEngine(track=bar).map(tasks, Place(), "spelling")]
    assert begun == [0, 4, 8, 12]
    assert ended == [4, 8, 12, 14]
    assert 1 in bar.stood, "inside the first task"


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("cannot write to x"), "cannot write to x"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "x: No space left on device. Free some space"),
        (OSError(errno.EMFILE, "Too many open files"), "Raise the limit of open files"),
    ],
)
def test_a_machine_that_fails_is_no_bad_item(error: Exception, words: str, stop: bool) -> None:
    tried: list[tuple[str, ...]] = []

    def before(items: tuple[str, ...]) -> None:
        tried.append(items)
        if len(tried) == 2:
            raise error

    engine = LocalEngine(stop=stop)
    with pytest.raises(StoreError, match=words):
        done(engine, planned(before, size=2))
    assert tried == [("a", "b"), ("c", "d")], "nothing smaller was tried"
    assert engine.failures == []
