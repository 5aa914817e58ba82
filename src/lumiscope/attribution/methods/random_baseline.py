"""A map that knows nothing: what every other method must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.view_method import view_method
from lumiscope.types import FloatArray, Target


@dataclass(frozen=True)
class RandomOptions:
    """Options of the random baseline. `random_seed`: None derives it from the study's seed and the image."""

    random_seed: int | None = option(None, at_least=0)


@view_method(
    "random",
    title="Random map",
    citation="a baseline, as in Hooker et al. 2019, A Benchmark for Interpretability Methods, arXiv:1806.10758",
    passes="none",
    options=RandomOptions,
    perturbs=False,
    class_blind=True,
)
def random(view: PreparedView, predictor: Predictor, target: Target, options: RandomOptions) -> FloatArray:
    """Independent uniform values in [0, 1), one a pixel. Neither the picture nor the model is looked at."""
    generator = np.random.default_rng(view.seed("random", options.random_seed))
    return generator.random(view.size, dtype=np.float32)
