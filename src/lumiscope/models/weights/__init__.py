"""Weight files: read without running their code, and fitted to a network by name and shape."""

from lumiscope.models.weights.asked import RANDOM, RANDOM_HEAD, AskedWeights, Weights
from lumiscope.models.weights.checkpoint import (
    OFFLINE_WAYS,
    Checkpoint,
    check_weights,
    read_checkpoint,
    read_weights,
)
from lumiscope.models.weights.fit import Fit, fit_weights

__all__ = [
    "OFFLINE_WAYS",
    "RANDOM",
    "RANDOM_HEAD",
    "AskedWeights",
    "Checkpoint",
    "Fit",
    "Weights",
    "check_weights",
    "fit_weights",
    "read_checkpoint",
    "read_weights",
]
