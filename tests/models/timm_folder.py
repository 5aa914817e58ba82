"""A small model of timm as a folder, and as the hub's cache keeps it."""

from __future__ import annotations

import json
import shutil

import timm
import torch
from safetensors.torch import save_file

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write_folder(path):
    """A folder as timm writes it: test_resnet with three classes and a preprocessing of its own."""
    path.mkdir()
    torch.manual_seed(5)
    module = timm.create_model("test_resnet", num_classes=3)
    save_file({key: value.contiguous() for key, value in module.state_dict().items()}, path / "model.safetensors")
    config = {
        "architecture": "test_resnet",
        "num_classes": 3,
        "label_names": ["n1", "n2", "n3"],
        "label_descriptions": {"n1": "cat, house cat", "n3": "fish"},
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "crop_pct": 0.5,
            "interpolation": "bilinear",
            "mean": [0.1, 0.2, 0.3],
            "std": [0.5, 0.5, 0.5],
            "num_classes": 3,
            "first_conv": "conv1",
            "classifier": "fc",
        },
    }
    (path / "config.json").write_text(json.dumps(config))


def write_cache(home, folder):
    """The hub's cache with `folder` as org/mine."""
    snapshot = home / "models--org--mine" / "snapshots" / COMMIT
    shutil.copytree(folder, snapshot)
    (home / "models--org--mine" / "refs").mkdir()
    (home / "models--org--mine" / "refs" / "main").write_text(COMMIT)
