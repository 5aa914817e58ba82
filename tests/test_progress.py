"""Progress: bars that work moves by itself, and bars inside bars on a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import pytest

from lumiscope.cli.output import Bars
from lumiscope.progress import Steps, counted, silent

T = TypeVar("T")


class Recorded:
    """A `Track` that writes down how far each bar came, and whether it ended."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        self.events.append((f"{description} of {total}", 0))
        try:
            for number, item in enumerate(items, 1):
                yield item
                self.events.append((description, number))
        finally:
            self.events.append((f"{description} ends", 0))


def test_steps_are_there_at_once_and_never_go_back() -> None:
    track = Recorded()
    with Steps(track, "work", 4) as steps:
        assert track.events == [("work of 4", 0)]
        for number in (1, 3, 2, 3):
            steps.reach(number)
        assert track.events[1:] == [("work", 1), ("work", 2), ("work", 3)]
    assert track.events[4:] == [("work ends", 0)]


def test_a_bar_that_is_full_may_be_told_so_again() -> None:
    track = Recorded()
    with Steps(track, "work", 2) as steps:
        steps.reach(2)
        steps.reach(5)
    assert track.events == [("work of 2", 0), ("work", 1), ("work", 2), ("work ends", 0)]
    with Steps(silent, "nothing", 0) as steps:
        steps.reach(0)


def test_a_bar_ends_with_an_error_too() -> None:
    track = Recorded()
    with pytest.raises(ValueError, match="bad"), Steps(track, "work", 4):
        raise ValueError("bad")
    assert track.events == [("work of 4", 0), ("work ends", 0)]


def test_what_is_made_a_few_at_a_time_moves_a_bar_also_when_it_is_tried_again() -> None:
    track = Recorded()
    with counted(lambda start, stop: list(range(start, stop)), track, "passes", 10) as make:
        assert [make(0, 4), make(4, 8), make(4, 6), make(6, 8), make(8, 10)][2] == [4, 5]
    assert [number for name, number in track.events if name == "passes"] == list(range(1, 9))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_inside_bars_share_one_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    bars = Bars()
    for _ in bars(range(2), "outer", 2):
        display = bars._display
        assert display is not None
        for place, _ in enumerate(bars(range(3), "inner", 3)):
            shown = [(task.description, task.completed, task.total) for task in display.tasks]
            assert shown[1] == ("inner", place, 3)
        assert [task.description for task in display.tasks] == ["outer"]
        display.refresh()
    assert bars._display is None
    assert not display.live.is_started
    assert "outer" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert list(bars([7], "again", 1)) == [7]


def test_a_bar_goes_when_its_work_fails_and_when_nobody_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    bars = Bars()
    with pytest.raises(AssertionError, match="drawn"), Steps(bars, "work", 4):
        assert bars._display is None, "it is drawn"
    assert bars._display is None
    left = bars(range(3), "left", 3)
    next(left)
    del left
    assert bars._display is None


def test_nothing_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bars = Bars()
    with Steps(bars, "outer", 2) as steps:
        steps.reach(1)
        assert list(bars("ab", "inner", 2)) == ["a", "b"]
        assert bars._display is None
    assert capsys.readouterr() == ("", "")
