"""Which scorer this is."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from importlib import metadata
from typing import Any

from lumiscope.agreement import MASK_RULES
from lumiscope.attribution import METHODS, SEGMENTERS
from lumiscope.code_digest import code_digest

SCORER_VERSION = 1
"""Rises where scores change on purpose; what changes by chance is seen in the fingerprint."""
COUNTED = ("numpy", "pillow", "scikit-image", "scipy", "torch")


@functools.cache
def scorer_fingerprint() -> str:
    """Sha256 (hex) of the scorer's code with all that it imports and that is registered, and of the libraries."""
    modules = {f"{__package__}.uploads", "lumiscope.trust.metrics.deletion_curves"}
    registered: list[Callable[..., Any]] = [method.function for method in METHODS.values()]
    registered += [segmenter.function for segmenter in SEGMENTERS.values()]
    registered += [rule.function for rule in MASK_RULES.values()]
    modules |= {function.__module__ for function in registered}
    facts = [code_digest(frozenset(modules)), *(f"{name} {metadata.version(name)}" for name in COUNTED)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
