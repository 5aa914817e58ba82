"""Ways to run a network fast: one module a backend, found by the registry, chosen after a check on real pictures."""

from lumiscope.models.backends.batches import in_batches, is_out_of_memory
from lumiscope.models.backends.choose_backend import Choice, check_names, choose_backend
from lumiscope.models.backends.registry import (
    BACKENDS,
    PRECISIONS,
    Backend,
    Precision,
    Runner,
    available_backends,
    inference_backend,
)
from lumiscope.models.backends.session import Session

__all__ = [
    "BACKENDS",
    "PRECISIONS",
    "Backend",
    "Choice",
    "Precision",
    "Runner",
    "Session",
    "available_backends",
    "check_names",
    "choose_backend",
    "in_batches",
    "inference_backend",
    "is_out_of_memory",
]
