"""Batches that shrink where memory runs out: results are the same and in order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.models import in_batches
from lumiscope.models.backends import is_out_of_memory

NUMBERS = torch.arange(23.0)


def runner(fits, error):
    """Give the numbers asked for, and fail with `error` for more than `fits` of them; `sizes`: what was tried."""
    sizes = []

    def run(start, stop):
        sizes.append(stop - start)
        if stop - start > fits:
            raise error
        return NUMBERS[start:stop]

    return run, sizes


OUT = {
    "torch": RuntimeError("[enforce fail at alloc_cpu.cpp:116] . DefaultCPUAllocator: can't allocate memory: 12 bytes"),
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "openvino": RuntimeError("Exception from src/inference: std::bad_alloc"),
    "python": MemoryError(),
    "numpy": np._core._exceptions._ArrayMemoryError((10, 10), np.dtype("f4")),
    "onednn": RuntimeError("could not create a primitive"),
    "onednn memory": RuntimeError("could not create a memory object"),
    "onednn primitive": RuntimeError("could not execute a primitive"),
    "bare": RuntimeError("std::bad_alloc"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "windows": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 12 bytes."),
}


@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("fits", [1, 2, 3, 5, 8])
def test_half_as_many_until_they_fit(name, fits, caplog):
    assert is_out_of_memory(OUT[name])
    run, sizes = runner(fits, OUT[name])
    torch.testing.assert_close(in_batches(run, 23, 16), NUMBERS)
    halvings = [size for size in (16, 8, 4, 2, 1) if size > fits]
    assert sizes[: len(halvings)] == halvings
    assert all(size <= fits for size in sizes[len(halvings) :])
    assert [record.getMessage().split()[-1] for record in caplog.records] == [str(size // 2) for size in halvings]


def test_memory_that_runs_out_midway_does_not_start_again():
    tried = []

    def run(start, stop):
        tried.append((start, stop))
        if start >= 8 and stop - start > 2:
            raise MemoryError
        return NUMBERS[start:stop]

    torch.testing.assert_close(in_batches(run, 12, 4), NUMBERS[:12])
    assert tried == [(0, 4), (4, 8), (8, 12), (8, 10), (10, 12)]


@pytest.mark.parametrize("error", OUT.values(), ids=OUT)
def test_where_not_even_one_fits_it_gives_up(error):
    run, sizes = runner(0, error)
    with pytest.raises(type(error)):
        in_batches(run, 23, 4)
    assert sizes == [4, 2, 1]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("could not create a primitive descriptor for the matmul primitive"),
        RuntimeError("could not create a memory descriptor from blob"),
    ],
)
def test_what_onednn_does_not_know_is_no_lack_of_memory(error):
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory"), KeyError("x")]
)
def test_other_errors_pass_through_at_once(error):
    run, sizes = runner(0, error)
    with pytest.raises(type(error)):
        in_batches(run, 23, 8)
    assert sizes == [8]


@pytest.mark.parametrize("size", [1, 2, 7, 23, 24, 100])
def test_any_size_gives_all_in_order(size):
    run, sizes = runner(1000, MemoryError())
    torch.testing.assert_close(in_batches(run, 23, size), NUMBERS)
    assert sum(sizes) == 23
    assert max(sizes) == min(size, 23)
