"""Ways to run a network fast: one module a backend, found by the registry, chosen after a check on real pictures."""

from lumiscope.models.backends.choose import Choice, choose
from lumiscope.models.backends.inference import PRECISIONS, Inference, in_batches
from lumiscope.models.backends.registry import BACKENDS, Backend, available_backends, inference_backend

__all__ = [
    "BACKENDS",
    "PRECISIONS",
    "Backend",
    "Choice",
    "Inference",
    "available_backends",
    "choose",
    "in_batches",
    "inference_backend",
]
