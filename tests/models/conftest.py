"""Shared by the tests of this folder."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """On tiny networks threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def batch():
    """(3, 3, 32, 40) normal noise: not square, so that height and width cannot be confused."""
    return torch.randn(3, 3, 32, 40, generator=torch.Generator().manual_seed(1))
