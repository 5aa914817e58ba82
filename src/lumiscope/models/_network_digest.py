"""What tells one network from the next: its weights, the code of its parts, and how it is used."""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

LIBRARIES = {"torch", "torchvision", "timm"}


def network_digest(module: torch.nn.Module, said: Sequence[object]) -> str:
    """Sha256 (hex) of weights, of the user's own code of the network, and of what is `said` of its use."""
    digest = hashlib.sha256()
    for source in _own_sources(module):
        digest.update(source.read_bytes())
    digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    for key, value in sorted(module.state_dict().items()):
        if isinstance(value, torch.Tensor):
            digest.update(f"{key}{tuple(value.shape)}{value.dtype}".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        else:  # extra state of a part
            digest.update(key.encode() + pickle.dumps(value))
    return digest.hexdigest()


def _own_sources(module: torch.nn.Module) -> list[Path]:
    """The files in which the classes of a network's parts are written, without those of the well-known libraries."""
    kinds = {type(part) for part in module.modules()}
    homes = {sys.modules.get(kind.__module__) for kind in kinds if kind.__module__.split(".")[0] not in LIBRARIES}
    files = {getattr(home, "__file__", None) for home in homes}
    return sorted(Path(file) for file in files if file and file.endswith(".py") and Path(file).is_file())
