"""A challenge of four pictures of the world, made once, and ways to hand in for it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lumiscope.server.challenges import Challenge, Limits, make_world_challenge, open_challenge


@pytest.fixture(scope="session")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    """Four pictures, two of them public; no baselines."""
    folder = tmp_path_factory.mktemp("challenges") / "world"
    limits = Limits(num_samples=300, passes=400, upload_bytes=2**21)
    return make_world_challenge(folder, images="world:4@3", methods=["lime", "gradcam", "rise"], limits=limits)


@pytest.fixture(scope="session")
def npz() -> Callable[[Mapping[str, NDArray[Any]]], bytes]:
    def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        return content.getvalue()

    return packed


@pytest.fixture(scope="session")
def parameters(challenge: Challenge) -> Callable[..., bytes]:
    """The same parameters for all images, as JSON; `images`: others for some."""

    def written(entry: Mapping[str, Any], **images: Any) -> bytes:
        return json.dumps(dict.fromkeys(challenge.names, entry) | images).encode()

    return written


@pytest.fixture
def written_challenge(tmp_path: Path) -> Path:
    """Three pictures, to be spoilt."""
    return make_world_challenge(tmp_path / "three", images="world:3@5").folder


@pytest.fixture(scope="session")
def without_baselines(challenge: Challenge, tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    """A copy of the challenge, to which no other test adds a baseline."""
    folder = tmp_path_factory.mktemp("copies") / "world"
    shutil.copytree(challenge.folder, folder, ignore=shutil.ignore_patterns("*.npz", "*.json"))
    return open_challenge(folder)
