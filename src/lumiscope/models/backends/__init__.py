"""Ways to run a network fast: one module a backend, found by the registry, chosen after a check on real pictures."""

from lumiscope.models.backends.choose import Choice, check_names, choose
from lumiscope.models.backends.inference import PRECISIONS, Inference, in_batches, is_out_of_memory
from lumiscope.models.backends.registry import (
    BACKENDS,
    Backend,
    Precision,
    Runner,
    available_backends,
    inference_backend,
)

__all__ = [
    "BACKENDS",
    "PRECISIONS",
    "Backend",
    "Choice",
    "Inference",
    "Precision",
    "Runner",
    "available_backends",
    "check_names",
    "choose",
    "in_batches",
    "inference_backend",
    "is_out_of_memory",
]
