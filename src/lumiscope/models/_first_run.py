"""The first run of a network: on what it runs, what it returns, and what it changes meanwhile."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from lumiscope.errors import ModelError
from lumiscope.models._settled import changed_by_running, settled, settled_note, state_of
from lumiscope.models._twin import twin
from lumiscope.models.channels import KEYED, KEYED_WRAPPER, RGB, other_channels
from lumiscope.models.guard import borrowed, kept, restored


@dataclass(frozen=True)
class FirstRun:
    """`network`: it, or a twin that changes neither its inputs nor its own state. `inputs`: (4, channels, H, W) noise
    of as many channels as it takes. `returned`: what it gives for the first two, with gradients. `notes`: on the twin.
    """

    network: torch.nn.Module
    inputs: torch.Tensor
    returned: object
    notes: tuple[str, ...] = ()


def first_run(
    network: torch.nn.Module, contrasts: Callable[[int], torch.Tensor], spec: str, channels: int | None
) -> FirstRun:
    """Run `network`, in evaluation mode, on noise, and leave it as it was.

    `contrasts(channels)`: (4, channels, H, W) noise. `channels`: None: RGB, where it does not run on that as
    `other_channels`. Errors: `ModelError` where it does not run.
    """
    with restored(network) as rewritten, borrowed(network), kept(network), torch.enable_grad(), _quiet():
        state = state_of(network)
        inputs, returned, writes = _run(network, contrasts, spec, channels)
        changed = changed_by_running(network, state, functools.partial(network, _leaf(inputs)))
        parameters = rewritten()
        changed += [name for name in parameters if name not in changed]
    if changed:
        network = settled(network, parameters=bool(parameters))
    if writes:
        network = twin(network, lambda run, some: run(some.clone()))
    return FirstRun(network, inputs, returned, (settled_note(changed),) if changed else ())


def _run(
    network: torch.nn.Module, contrasts: Callable[[int], torch.Tensor], spec: str, channels: int | None
) -> tuple[torch.Tensor, object, bool]:
    """Noise of as many channels as the network takes, what it returns for two rows, and whether it writes into them."""
    inputs = contrasts(channels or RGB)
    given = _leaf(inputs)
    try:
        returned = network(given)
        return inputs, returned, not torch.equal(given.detach(), inputs[:2])
    except Exception as error:  # a network of another input size, or of two inputs, raises whatever it likes
        others = None if channels else other_channels(network, lambda width: contrasts(width)[:2], spec)
        if others is not None:
            return _run(network, contrasts, spec, others)
        size = "×".join(map(str, inputs.shape[2:]))
        reason = (str(error) or type(error).__name__).splitlines()[0]
        of_bands = f" of {channels} bands" if channels else ""
        advice = f". {KEYED_WRAPPER}" if isinstance(error, KEYED) else ""
        raise ModelError(f"{spec} does not run on a {size} picture{of_bands}: {reason}{advice}") from error


def _leaf(inputs: torch.Tensor) -> torch.Tensor:
    """The first two rows, to which gradients flow; a network may begin in place."""
    return inputs[:2].detach().clone().requires_grad_().clone()


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True to a scalar")
        yield
