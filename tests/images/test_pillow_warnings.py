"""Pillow's warnings are kept from the user as long as anybody reads a picture, and nobody else's."""

from __future__ import annotations

import threading
import warnings

from lumiscope.images._pillow_warnings import pillow_warnings_silenced


def silenced(module: str) -> bool:
    """Whether the filters as they are now ignore a warning that is raised in `module`."""
    return any(
        action == "ignore" and pattern is not None and pattern.match(module)
        for action, _, _, pattern, _ in warnings.filters
    )


def test_pillow_alone_is_silenced_until_the_last_reader_has_left() -> None:
    before = list(warnings.filters)
    assert not silenced("PIL.Image")
    with pillow_warnings_silenced():
        assert silenced("PIL.Image")
        assert silenced("PIL")
        assert not silenced("PILLOW.other")
        assert not silenced("numpy")
        with pillow_warnings_silenced():
            assert silenced("PIL.TiffImagePlugin")
        assert silenced("PIL.Image")
    assert list(warnings.filters) == before


def test_of_two_threads_the_second_keeps_what_the_first_began() -> None:
    before = list(warnings.filters)
    entered, left = threading.Event(), threading.Event()

    def read() -> None:
        with pillow_warnings_silenced():
            entered.set()
            assert left.wait(10)

    other = threading.Thread(target=read)
    with pillow_warnings_silenced():
        other.start()
        assert entered.wait(10)
    assert silenced("PIL.Image"), "the other thread still reads"
    left.set()
    other.join()
    assert list(warnings.filters) == before
