"""Every inference backend keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope.models import BACKENDS
from lumiscope.testing import BACKEND_CHECKS, backend_case

PAGE = (Path(__file__).parents[2] / "docs" / "backends.md").read_text()


@pytest.mark.parametrize("check", BACKEND_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(BACKENDS))
def test_backend(name, check):
    if BACKENDS[name].missing:
        pytest.skip(f"needs {BACKENDS[name].requires}")
    check(backend_case(name))


@pytest.mark.parametrize("name", list(BACKENDS))
def test_backend_is_documented(name):
    assert f"`{name}`" in PAGE


def test_the_fastest_come_first_and_the_network_as_it_is_last():
    assert list(BACKENDS) == ["openvino", "onnxruntime", "torch", "eager"]
