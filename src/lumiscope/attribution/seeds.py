"""Seeds of single images and methods."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, item_id: str, method: str) -> int:
    """A seed in [0, 2^31) that depends on the study's seed, the item and the method, never on their order."""
    digest = hashlib.sha256(f"{seed}\0{item_id}\0{method}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
