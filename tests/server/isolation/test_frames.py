"""Frames: whole again however the pipe cuts them."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumiscope.server.isolation._frames import BrokenFrameError, FrameReader, frame, read_frame

OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=4), max_size=5)


@settings(max_examples=40)
@given(OBJECTS, st.integers(1, 7))
def test_frames_come_whole(objects, step):
    sent = b"".join(piece for value in objects for piece in frame(value))
    reader = FrameReader(len(sent) + 1)
    come = [value for at in range(0, len(sent), step) for value in reader.feed(sent[at : at + step])]
    assert come == objects


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=50), max_size=4))
def test_parts_come_whole(parts):
    stream = io.BytesIO(b"".join(frame({"a": 1}, parts)))
    assert read_frame(stream) == ({"a": 1}, parts)
    assert not stream.read()


@given(st.binary(max_size=200))
def test_noise_breaks_nothing(noise):
    reader = FrameReader(100)
    with contextlib.suppress(BrokenFrameError, OverflowError):
        assert all(isinstance(value, dict) for value in reader.feed(noise))


def test_a_cut_frame_is_broken():
    with pytest.raises(BrokenFrameError, match=r"expected 2 bytes, got 1 and then the end"):
        read_frame(io.BytesIO(b"LSF1\x00\x00\x00\x02{"))
