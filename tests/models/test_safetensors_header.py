"""A safetensors file begins with the length of its header, whatever byte that is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lumiscope.models.weights import read_checkpoint


@pytest.mark.parametrize("extra", [0, 1, 33, 54])
def test_every_length_of_the_header_is_read(tmp_path: Path, extra: int) -> None:
    """With 33 and 54 it begins with "(" and with the byte 0x80, as pickles do."""
    path = tmp_path / "w.safetensors"
    tensors = {"layer.weight" + "x" * extra: torch.ones(2, 2), "b": torch.ones(2)}
    save_file(tensors, path, metadata={"format": "pt", "pad": "y" * 3 * extra})
    assert read_checkpoint(path) is not None
