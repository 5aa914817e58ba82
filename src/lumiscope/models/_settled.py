"""A network that changes its own state as it runs, such as its batch norms' statistics, made to leave it as it was.

Without that its scores would depend on what was asked before, and a graph of it, which shows operations only, would be
another network: it drops what is merely set, as by `self.norm.train()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import fx

from lumiscope.counts import first_few
from lumiscope.errors import LayerError
from lumiscope.models._twin import Forward, twin
from lumiscope.models.guard import kept, plain_state, restored, same_bits

State = Mapping[str, Any]
LISTED = 3


def settled(network: torch.nn.Module, *, parameters: bool = False) -> torch.nn.Module:
    """`network` of which every run begins from the same state, and leaves it. No graph can be made of it.

    `parameters`: whether a run rewrites these, too.
    """

    def forward(run: Forward, inputs: torch.Tensor) -> Any:
        if isinstance(inputs, fx.Proxy):
            raise LayerError("its forward pass changes its own state, which no graph shows")
        runner = getattr(run, "__self__", network)
        with _weights_left(runner) if parameters else nullcontext(), kept(runner, parameters=parameters):
            return run(inputs)

    return twin(network, forward)


@contextmanager
def _weights_left(network: torch.nn.Module) -> Iterator[None]:
    """Parameters are restored, whoever writes to them, and gradients are those of the weights that were used."""

    def pack(saved: torch.Tensor) -> torch.Tensor:
        return saved.detach() if saved.requires_grad else saved.clone()  # what is rewritten after its use is a weight

    with restored(network), torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        yield


def state_of(network: torch.nn.Module) -> State:
    """A copy of all buffers, flags, numbers and tensors that the parts of a network have, by name."""
    return {
        f"{name}.{key}".removeprefix("."): value.detach().clone() if isinstance(value, torch.Tensor) else value
        for name, part in network.named_modules()
        for key, value in (*part._buffers.items(), *plain_state(part).items())
        if value is not None
    }


def changed_by_running(network: torch.nn.Module, before: State, run: Callable[[], object]) -> list[str]:
    """Names of what a run changes in a network that ran since it was in the state `before`.

    What is filled once, and the same in a second `run`, is no more than stored. But parts of torch store nothing: what
    is set there, and the mode of any part, is set by whoever uses it.
    """
    of_torch = {name for name, part in network.named_modules() if type(part).__module__.startswith("torch.nn.")}
    first = _differing(before, state_of(network))
    if not first:
        return []
    between = state_of(network)
    run()
    again = _differing(between, state_of(network))
    known = {name for name in first if name.rpartition(".")[0] in of_torch or name.rpartition(".")[2] == "training"}
    return [name for name in before if name in known or name in again]


def settled_note(changed: list[str]) -> str:
    """What is noted of a network of which a run changes so much."""
    listed = first_few(changed, LISTED, more=", … {} more")
    return f"its forward pass changes its own state ({listed}): each run begins from that in which it was given"


def _differing(before: State, after: State) -> list[str]:
    return [name for name in before if name in after and not _same(before[name], after[name])]


def _same(value: object, other: object) -> bool:
    if not isinstance(value, torch.Tensor) or not isinstance(other, torch.Tensor):
        return value is other or (type(value) is type(other) and value == other)
    return value.shape == other.shape and value.dtype == other.dtype and same_bits(value, other)
