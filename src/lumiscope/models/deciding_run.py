"""Which run of a part counts, where a forward pass runs it several times: one may serve a mask or another output."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

from lumiscope.models._flow import Flow
from lumiscope.models.guard import hooked
from lumiscope.models.outputs import first_tensor


def deciding_run(network: torch.nn.Module, part: torch.nn.Module, inputs: torch.Tensor) -> int | None:
    """The last run of `part` on whose output the scores depend, from 0; None: the last of all.

    None, too, where no run reaches the scores. `inputs`: (B, 3, H, W).
    """
    if isinstance(part, torch.jit.ScriptModule) or count_calls(network, part, inputs) < 2:
        return None
    values: list[int | None] = []

    def note(_: str, __: torch.nn.Module, output: object) -> None:
        tensor = first_tensor(output)
        values.append(None if tensor is None else flow.value_of(tensor))

    inputs = inputs.clone()  # a network may write to it
    flow = Flow(inputs)
    with torch.no_grad(), flow.watched({"": part}, note):
        scores = first_tensor(network(inputs))
    end = None if scores is None else flow.value_of(scores)
    path = set() if end is None else flow.path(end)
    run = max((run for run, value in enumerate(values) if value in path), default=len(values) - 1)
    return None if run == len(values) - 1 else run


def count_calls(network: torch.nn.Module, part: torch.nn.Module, inputs: torch.Tensor) -> int:
    """How many times a forward pass of `network` on `inputs` runs `part`."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    with torch.no_grad(), hooked(part.register_forward_hook(count)):
        network(inputs)
    return calls


def run_counter(run: int | None) -> Callable[[], bool]:
    """For a hook of one forward pass, which asks at every run: whether it is `run`; with None every one is.

    So what a hook keeps last is of the run that counts.
    """
    runs = itertools.count()
    return lambda: run is None or next(runs) == run
