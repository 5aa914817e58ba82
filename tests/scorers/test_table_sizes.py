"""Tables of scores that would fill the memory are refused by what they say of themselves."""

from __future__ import annotations

import io
import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lumiscope.concepts import load_concepts
from lumiscope.errors import ScorerError, UsageError
from lumiscope.images import open_images
from lumiscope.models.load import read_classes
from lumiscope.scorers import load_scorer


def head(shape: tuple[int, ...]) -> bytes:
    """How a .npy file of float32 of that shape begins."""
    file = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()


def table(path: Path, scores: bytes, zeros: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("scores.npy", "w", force_zip64=True) as member:
            member.write(scores)
            for _ in range(zeros // 2**20):
                member.write(bytes(2**20))
        for name in ("images", "concepts"):
            file = io.BytesIO()
            np.save(file, np.array(["a"]))
            archive.writestr(f"{name}.npy", file.getvalue())
    return path


@pytest.mark.parametrize("scores", [head((10**6, 10**6)), head((2**62, 2**62))])
def test_an_array_that_says_it_is_vast(tmp_path, scores):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ScorerError, match=r"more than 4,294,967,296 bytes"):
        load_scorer(f"table:{table(tmp_path / 'bomb.npz', scores)}")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("scores", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", head((1, 1))[:-5], b"x" * 100])
def test_an_array_that_has_no_head(tmp_path, scores):
    with pytest.raises(ScorerError, match="cannot be read as a score table"):
        load_scorer(f"table:{table(tmp_path / 'odd.npz', scores)}")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("pipe.npz", "folder.npz"):
        with pytest.raises(ScorerError, match="cannot be read as a score table"):
            load_scorer(f"table:{tmp_path / name}")


@pytest.mark.parametrize(
    ("read", "name"),
    [(load_concepts, "vast.txt"), (load_concepts, "vast.csv"), (read_classes, "vast.txt"), (open_images, "vast.csv")],
)
def test_lists_of_text_are_refused_by_size(tmp_path, read, name):
    with (tmp_path / name).open("wb") as file:
        file.truncate(10 * 2**30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UsageError, match=r"more than .* bytes"):
        read(tmp_path / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
