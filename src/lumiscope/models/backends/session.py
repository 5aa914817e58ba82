"""A network as it is run: logits by one backend, trunk and head by torch."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch

from lumiscope.models.backends.batches import in_batches
from lumiscope.models.backends.registry import Precision, Runner
from lumiscope.models.layout import Layout
from lumiscope.models.linear_head import find_linear_head
from lumiscope.models.split import Cut, Split


class Session:
    """A network and how it is run. `backend` and `precision`: what the maps made with it are recorded under.

    `network`: the float32 module. `build`: makes the runner, when it is first needed. `batch_size`: inputs that the
    runner takes at once. `splitter`: cuts the network at a layer, into a trunk and a head that borrow it themselves.
    `build_rough`: makes a runner whose logits are near enough to tell what matters, and no nearer; None: there is none.
    """

    def __init__(
        self,
        backend: str,
        precision: Precision,
        network: torch.nn.Module,
        build: Callable[[], Runner],
        batch_size: int,
        splitter: Callable[[str], Split],
        build_rough: Callable[[], Runner] | None = None,
    ) -> None:
        self.backend = backend
        self.precision = precision
        self.network = network
        self.batch_size = batch_size
        self._build = build
        self._build_rough = build_rough
        self._splitter = splitter
        self._splits: dict[str, Split] = {}
        self._linear_heads: dict[str, torch.Tensor | None] = {}

    @functools.cached_property
    def runner(self) -> Runner:
        """What turns inputs into logits, `batch_size` at once."""
        return self._build()

    @functools.cached_property
    def rough(self) -> Runner | None:
        """A runner in half precision, where that is faster and the runner itself had to be float32; else None."""
        return None if self._build_rough is None else self._build_rough()

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run normalised (N, 3, H, W) inputs in batches; (N, classes) float32 logits, without gradients."""
        return self.logits_of(lambda start, stop: inputs[start:stop], len(inputs))

    def logits_of(
        self,
        make: Callable[[int, int], torch.Tensor],
        count: int,
        runner: Runner | None = None,
        keep: Callable[[torch.Tensor], torch.Tensor] = lambda logits: logits,
    ) -> torch.Tensor:
        """Logits of `count` inputs of which `make(start, stop)` makes a few at a time, so memory stays flat.

        `runner`: another one than the session's own. `keep`: what is kept of some (n, classes) logits, (n, …).
        """
        run = runner or self.runner
        return in_batches(lambda start, stop: keep(run(make(start, stop))), count, self.batch_size)

    def split(self, layer: str) -> Split:
        """Trunk and head at `layer`, made once. Both leave the model as it is."""
        if layer not in self._splits:
            self._splits[layer] = self._splitter(layer)
        return self._splits[layer]

    def linear_head(self, layer: str, cut: Cut, layout: Layout) -> torch.Tensor | None:
        """Weights of a head that is pooling and a linear layer, found once; see `find_linear_head`."""
        if layer not in self._linear_heads:
            self._linear_heads[layer] = find_linear_head(self.network, self.split(layer).head, cut, layout)
        return self._linear_heads[layer]
