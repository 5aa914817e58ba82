"""SmoothGrad: the mean gradient over noisy copies of the picture.

Source: Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise", section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.gradients import gradient_method, strongest
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import FloatArray, Target


@dataclass(frozen=True)
class SmoothGradOptions(FlipOptions):
    """Options of SmoothGrad.

    `num_samples`: noisy copies. `noise`: standard deviation of the noise as a share of the range (largest minus
    smallest) of the image's normalised input; the paper advises 0.1 to 0.2. `random_seed`: None derives it from the
    study's seed and the image.
    """

    num_samples: int = option(50, at_least=1)
    noise: float = option(0.15, at_least=0)
    random_seed: int | None = option(None, at_least=0)


@gradient_method(
    "smoothgrad",
    title="SmoothGrad",
    citation="Smilkov et al. 2017, SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
    passes="num_samples forwards and backwards (50)",
    options=SmoothGradOptions,
)
def smoothgrad(inputs: PreparedInputs, targets: Sequence[Target], options: SmoothGradOptions) -> list[FloatArray]:
    """max over channels of |mean over noisy copies of dS/dx|; at least 0. With noise 0 it is `saliency`."""
    means = [_mean_gradient(inputs, row, target, options) for row, target in enumerate(targets)]
    return strongest(torch.stack(means))


def _mean_gradient(inputs: PreparedInputs, row: int, target: Target, options: SmoothGradOptions) -> torch.Tensor:
    picture = inputs.values[row]
    width = options.noise * float(picture.max() - picture.min())
    seed = inputs.views[row].seed("smoothgrad", options.random_seed)

    def make(start: int, stop: int) -> torch.Tensor:
        copies = np.stack([gaussian_noise(seed, copy, tuple(picture.shape)) for copy in range(start, stop)])
        return picture + width * torch.from_numpy(copies).to(picture)

    weights = torch.full((options.num_samples,), 1 / options.num_samples, device=picture.device)
    return inputs.weighted_gradients(target, make, weights)


def gaussian_noise(seed: int, copy: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal noise of one noisy copy: the same whatever batch it falls into."""
    return np.random.default_rng((seed, copy)).standard_normal(shape, dtype=np.float32)
