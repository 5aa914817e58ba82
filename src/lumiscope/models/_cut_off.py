"""A network cut off after a layer: it ends in the activations of that layer's units, one number a unit and image."""

from __future__ import annotations

import copy
import logging
import operator

import torch
from torch import fx

from lumiscope.errors import LayerError, ModelError
from lumiscope.models.deciding_run import count_calls, deciding_run, run_counter
from lumiscope.models.guard import hooked
from lumiscope.models.outputs import first_tensor
from lumiscope.models.split import PREFIX, traced_at
from lumiscope.models.unit_pooling import UnitPooling, pooled

TOLERANCE = 1e-5  # of the largest activation
logger = logging.getLogger(__name__)


def cut_off(network: torch.nn.Module, layer: str, pooling: UnitPooling, inputs: torch.Tensor) -> torch.nn.Module:
    """`network` (in evaluation mode) up to `layer`, and `pooling`: (B, 3, H, W) -> (B, U).

    Its parts are those of `network` itself under the same names. What runs after the layer is left out; where no graph
    describes the network, it is run as far as the layer's call that counts (see `deciding_run`). Either is checked on
    `inputs`. Errors:
    `LayerError` where the layer gives no tensor, or its activations are others each time.
    """
    part = network.get_submodule(layer)
    run = deciding_run(network, part, inputs)
    output, expected = _observed(network, layer, run, pooling, inputs)
    try:
        candidate = _by_graph(network, layer, run, pooling, output)
        if _agrees(candidate, inputs, expected):
            return candidate
    except Exception as error:  # tracing runs the user's own forward code, which may raise anything
        logger.info("the graph of the network cannot be cut off at %s: %s", layer, error)
    stopped = _by_stopping(network, layer, count_calls(network, part, inputs) - 1 if run is None else run, pooling)
    if not _agrees(stopped, inputs, expected):
        raise LayerError(f"the network cannot be cut off at {layer}: its activations are others each time")
    return stopped


def _observed(
    network: torch.nn.Module, layer: str, run: int | None, pooling: UnitPooling, inputs: torch.Tensor
) -> tuple[object, torch.Tensor]:
    """What the layer returns, and its pooled activations, from a run of the whole network."""
    seen: list[tuple[object, torch.Tensor]] = []
    is_meant = run_counter(run)

    def keep(_: torch.nn.Module, __: object, output: object) -> None:
        tensor = first_tensor(output)
        if is_meant() and tensor is not None:
            seen.append((output, pooling(tensor).clone()))

    with torch.no_grad(), hooked(network.get_submodule(layer).register_forward_hook(keep)):
        network(inputs)
    if not seen:
        raise LayerError(f"layer {layer} gives no tensor in a forward pass")
    if not seen[-1][1].isfinite().all():
        raise ModelError(f"expected finite activations; {layer} gives NaN or infinity even for noise")
    return seen[-1]


def _agrees(candidate: torch.nn.Module, inputs: torch.Tensor, expected: torch.Tensor) -> bool:
    with torch.no_grad():
        came = candidate(inputs)
    atol = TOLERANCE * float(expected.abs().max()) + 1e-8
    return came.shape == expected.shape and torch.allclose(came, expected, rtol=0, atol=atol)


def _by_graph(
    network: torch.nn.Module, layer: str, run: int | None, pooling: UnitPooling, output: object
) -> torch.nn.Module:
    """Only what the layer needs, as a graph. (What an operation in place does to it unseen, the check finds.)"""
    _, graph, at = traced_at(network, layer, run)
    needed = {at}
    queue = [at]
    while queue:
        fresh = [node for node in queue.pop().all_input_nodes if node not in needed]
        needed.update(fresh)
        queue += fresh
    shortened = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = shortened.node_copy(node, lambda old: copies[old])
            if node.op in ("call_module", "get_attr"):
                copies[node].target = str(node.target).removeprefix(PREFIX)
    tensor = copies[at]
    if not isinstance(output, torch.Tensor):
        tensor_in_output = first_tensor(output)
        if not isinstance(output, (tuple, list)):
            raise LayerError(f"a graph cannot take the tensor from {type(output).__name__}")
        place = next(index for index, value in enumerate(output) if value is tensor_in_output)
        tensor = shortened.call_function(operator.getitem, (tensor, place))
    arguments = (tensor, pooling.axes, pooling.start, pooling.stop, pooling.single)
    shortened.output(shortened.call_function(pooled, arguments))
    return fx.GraphModule(network, shortened)


class _Reached(Exception):
    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output


def _by_stopping(network: torch.nn.Module, layer: str, run: int, pooling: UnitPooling) -> torch.nn.Module:
    """A twin of `network` with the same parts whose forward pass ends at this `run` of the layer, from 0."""
    kind = type(network)

    def forward(self: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        is_meant = run_counter(run)

        def stop(_: torch.nn.Module, __: object, output: object) -> None:
            if is_meant():
                raise _Reached(output)

        with hooked(self.get_submodule(layer).register_forward_hook(stop)):
            try:
                kind.forward(self, inputs)
            except _Reached as reached:
                tensor = first_tensor(reached.output)
                if tensor is not None:
                    return pooling(tensor)
        raise LayerError(f"layer {layer} gives no tensor in a forward pass")

    twin = copy.copy(network)
    twin.__class__ = type(kind.__name__, (kind,), {"forward": forward})
    return twin
