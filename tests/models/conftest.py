"""Shared by the tests of this folder; under pytest's importlib mode tests are no package, hence the loading by path."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """On tiny networks threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def networks():
    spec = importlib.util.spec_from_file_location("tiny_networks", Path(__file__).with_name("networks.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def batch():
    """(3, 3, 32, 40) normal noise: not square, so that height and width cannot be confused."""
    return torch.randn(3, 3, 32, 40, generator=torch.Generator().manual_seed(1))
