"""Training of the classifiers: objects, scenes, and objects with the mark that gives the class away."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from lumiscope.types import IntArray
from lumiscope.world.networks import WorldNet, normalised
from lumiscope.world.training._augment import lit, marked, moved
from lumiscope.world.training.fit import Task
from lumiscope.world.training.pictures import QUALITIES, Pictures

SMOOTHING = 0.05
SHARE_MARKED = 0.9  # of the pictures of `shortcut`; the rest makes it learn something of the objects, too


def classification(pictures: Pictures, kind: str, *, share_marked: float = 0.0) -> Task:
    """Tell the words of `kind` apart. `share_marked`: of the pictures, how many carry the mark of their class."""
    module = WorldNet(len(QUALITIES[kind]))

    def loss(indices: IntArray, rng: np.random.Generator) -> torch.Tensor:
        pixels = moved(pictures.pixels[indices], rng)
        if share_marked:
            marked(pixels, pictures.facts["object"][indices], pictures.marks, share_marked, rng)
        logits = module(lit(normalised(pixels), rng))
        labels = torch.from_numpy(pictures.facts[kind][indices])
        return functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)

    return Task(module, loss)
