"""The ways to run one network, each made once, when it is first asked for."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import torch

from lumiscope.models._rectified import behind_function
from lumiscope.models.backends import Choice, Session
from lumiscope.models.backends.folding import Folding
from lumiscope.models.backends.registry import BACKENDS, Numbers, Precision, Runner, half_pays
from lumiscope.models.backends.torch_backend import in_bfloat16
from lumiscope.models.guard import borrowed
from lumiscope.models.split import Cut, Split, split

PIXELS = 224 * 224
logger = logging.getLogger(__name__)


class SessionCache:
    """Runners, trunks and heads of `network`, a float32 module on `device`.

    `size`: (H, W) of its inputs. `example(n)`: n of them, (n, 3, H, W). `alone`: run one input at a time, whoever asks
    for how many, as the network would mix them.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        device: torch.device,
        size: tuple[int, int],
        example: Callable[[int], torch.Tensor],
        *,
        alone: bool = False,
    ) -> None:
        self.network = network
        self.device = device
        self.size = size
        self.example = example
        self.alone = alone
        self._sessions: dict[tuple[str, Precision, Numbers], Session] = {}
        self._runners: dict[tuple[str, Numbers], Runner] = {}
        self._narrow: dict[int, torch.nn.Module] = {}

    @functools.cached_property
    def reference(self) -> Session:
        """The network as it is, run by torch in float32: what every other way to run it is measured by."""
        return self._make("eager", "exact", "float32", functools.partial(self._cut, self.network))

    def session(self, choice: Choice | None) -> Session:
        """The way that was chosen; None: the reference."""
        if choice is None or choice.backend == "eager":
            return self.reference
        key = (choice.backend, choice.precision, choice.numbers)
        if key not in self._sessions:
            self._sessions[key] = self._make(*key, functools.partial(self._cut_folded, choice.numbers))
        return self._sessions[key]

    def batch_size(self, backend: str) -> int:
        """How many views a runner takes at once: as many pixels as the backend likes best, in its own steps."""
        if self.alone:
            return 1
        step = BACKENDS[backend].batch_size
        height, width = self.size
        return max(step, step * PIXELS // (height * width) // step * step)

    @functools.cached_property
    def _folding(self) -> Folding:
        return Folding(self.network, self.example(2))

    def _make(self, backend: str, precision: Precision, numbers: Numbers, cut: Callable[[str], Split]) -> Session:
        build = functools.partial(self.runner, backend, numbers)
        roughly = precision == "fast" and numbers == "float32" and half_pays(backend, self.device.type)
        rough = functools.partial(self.runner, backend, "half") if roughly else None
        return Session(backend, precision, self.network, build, self.batch_size(backend), cut, rough)

    def runner(self, name: str, numbers: Numbers) -> Runner:
        """What runs the network by the backend `name`; made once."""
        if (name, numbers) not in self._runners:
            backend = BACKENDS[name]
            network = self._folding.copy() if backend.folded else self.network
            runner = backend.build(network, self.example(self.batch_size(name)), numbers)
            self._runners[name, numbers] = one_by_one(runner) if self.alone else runner
        return self._runners[name, numbers]

    def _cut_folded(self, numbers: Numbers, layer: str) -> Split:
        """Cut a folded copy; in half precision that is the trunk, not the head, which is differentiated.

        A network that cannot be copied, or whose copy still runs parts of the original, is cut as it is.
        """
        try:
            network = self._folding.copy(layer)
            exact = self._cut(network, layer)
        except Exception as error:  # copying runs the user's own code
            logger.info("no folded copy can be cut at %s: %s", layer, error)
            return self._cut(self.network, layer)
        if numbers == "float32" or self.device.type != "cpu":
            return exact
        if id(network) not in self._narrow:
            self._narrow[id(network)] = in_bfloat16(network)
        narrow = self._cut(self._narrow[id(network)], layer, torch.bfloat16)
        return Split(layer, exact.kind, narrow.trunk, exact.head)

    def _cut(self, network: torch.nn.Module, layer: str, kind: torch.dtype = torch.float32) -> Split:
        """Cut `network` so that trunk and head borrow it themselves; a trunk of another `kind` gives float32.

        The head of a network that casts inside gets what the trunk left in the width in which it left it.
        """
        with borrowed(network), torch.no_grad():
            example = self.example(1 if self.alone else 2).to(kind)
            whole = behind_function(network, split(network, layer, example), example)
            left = whole.trunk(example)
            kinds = [part.dtype for part in (left.activations, *left.context)]

        def trunk(inputs: torch.Tensor) -> Cut:
            with borrowed(network), torch.no_grad():
                given = inputs.to(kind)
                cut = Cut.joined([whole.trunk(row[None]) for row in given]) if self.alone else whole.trunk(given)
            return Cut(cut.activations.float(), tuple(_widened(part) for part in cut.context))

        def head(cut: Cut) -> torch.Tensor:
            activations, *context = (
                part.to(width) for part, width in zip((cut.activations, *cut.context), kinds, strict=True)
            )
            narrow = Cut(activations, tuple(context))
            with borrowed(network):
                return torch.cat([whole.head(row) for row in narrow.rows]) if self.alone else whole.head(narrow)

        return Split(layer, whole.kind, trunk, head)


def one_by_one(runner: Runner) -> Runner:
    """A runner that is given one input at a time."""
    return lambda inputs: torch.cat([runner(row[None]) for row in inputs])


def _widened(part: torch.Tensor) -> torch.Tensor:
    return part.float() if part.is_floating_point() else part
