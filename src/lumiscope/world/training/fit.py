"""The loop that fits a network to the training pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from lumiscope.types import IntArray

BATCH = 64
RATE = 4e-3
WARM_UP = 0.15
DECAY = 0.02


@dataclass(frozen=True)
class Task:
    """A network to be trained. `loss`: on the training pictures with these numbers."""

    module: torch.nn.Module
    loss: Callable[[IntArray, np.random.Generator], torch.Tensor]


def fit(task: Task, count: int, epochs: float, rng: np.random.Generator) -> Iterator[float]:
    """Fit with AdamW and a one-cycle learning rate (Smith and Topin, 2018); gives the loss of each step.

    `count`: how many pictures there are.
    """
    steps = total_steps(count, epochs)
    module = task.module.train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_groups(module), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=WARM_UP)
    batches = _batches(count, rng)
    for _ in range(steps):
        loss = task.loss(next(batches), rng)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        yield loss.item()
    module.eval()


def total_steps(count: int, epochs: float) -> int:
    """How many steps `fit` takes."""
    return max(round(count * epochs / BATCH), 10)


def _groups(module: torch.nn.Module) -> list[dict[str, object]]:
    """Weights decay; biases, scales and offsets do not."""
    parameters = list(module.parameters())
    return [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": DECAY},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def _batches(count: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """Numbers of pictures, in a new order each epoch; sorted within a batch, as disks like it."""
    batch = min(BATCH, count)
    while True:
        order = rng.permutation(count)
        for start in range(0, count - batch + 1, batch):
            yield np.sort(order[start : start + batch])
