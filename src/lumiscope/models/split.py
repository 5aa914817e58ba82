"""A network cut in two at a layer: `head(trunk(x)) == model(x)`.

The cut follows the graph, not the module tree, so a layer inside a residual block can be cut as well: whatever else
the rest of the network needs from before the layer travels along as context.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import fx

from lumiscope.errors import LayerError, ModelError, UnknownNameError
from lumiscope.models._ending import ends_in_one
from lumiscope.models.deciding_run import count_calls, deciding_run, run_counter
from lumiscope.models.guard import hooked
from lumiscope.models.outputs import first_tensor, logits_of, with_first_tensor

PREFIX = "network."  # of the names of layers in a graph
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cut:
    """What the trunk leaves for the head.

    `activations`: the layer's output, (B, ...). `context`: other tensors of B rows that the head needs.
    """

    activations: torch.Tensor
    context: tuple[torch.Tensor, ...] = ()

    def row(self, index: int) -> Cut:
        """The cut of one image, with a batch of 1."""
        return Cut(self.activations[index : index + 1], tuple(part[index : index + 1] for part in self.context))

    @property
    def rows(self) -> list[Cut]:
        """The cuts of all images, each with a batch of 1."""
        return [self.row(index) for index in range(len(self.activations))]

    @classmethod
    def joined(cls, rows: Sequence[Cut]) -> Cut:
        """The cut of all images that have one each."""
        context = zip(*(row.context for row in rows), strict=True)
        return cls(torch.cat([row.activations for row in rows]), tuple(map(torch.cat, context)))

    def with_activations(self, activations: torch.Tensor) -> Cut:
        """Put (N, ...) activations in the place of this single image's, its context repeated for each."""
        rows = activations.shape[0]
        context = tuple(part.expand(rows, *part.shape[1:]) if part.shape[0] == 1 else part for part in self.context)
        return replace(self, activations=activations, context=context)


@dataclass(frozen=True)
class Split:
    """Trunk and head of a model at `layer`. `kind`: "graph" (really cut) or "rerun" (the whole network runs again).

    `run`: which of its runs in a forward pass, from 0; None: the last.
    """

    layer: str
    kind: str
    trunk: Callable[[torch.Tensor], Cut]
    head: Callable[[Cut], torch.Tensor]
    run: int | None = None


def split(module: torch.nn.Module, layer: str, inputs: torch.Tensor) -> Split:
    """Cut `module` (in evaluation mode) at `layer` and check the cut on the real batch `inputs` (B, 3, H, W).

    The check asks for equal logits, on the batch and on two copies of its first row (a head must take any batch
    size; of a batch of one, on it alone). A network that the graph cannot describe, or that fails the check, is cut by
    running it again with the layer's output replaced: slower, and right for every network. A module that runs several
    times is cut at the last run that the scores depend on. Errors: `UnknownNameError` for a layer that does not exist;
    `LayerError` where it gives no tensor, or even the fallback fails its check; `ModelError` where the scores are NaN,
    infinite or others each time.
    """
    part = named_part(module, layer)
    with torch.no_grad():
        expected = logits_of(module(inputs))
        if not expected.isfinite().all():
            raise ModelError(
                "expected finite scores; the network gives NaN or infinity even for noise. Check its weights."
            )
        run = deciding_run(module, part, inputs[:1])
        candidate = _graph_split_or_none(module, layer, run, inputs, expected)
        if candidate is not None:
            return candidate
        fallback = _rerun_split(module, layer, run, inputs[:1])
        if not _holds(fallback, inputs, expected):
            if not torch.allclose(logits_of(module(inputs)), expected, rtol=1e-3):
                raise ModelError(
                    "expected the same scores each time; the network gives others for the same picture, even in "
                    "evaluation mode. Look for dropout or noise that does not ask whether it is trained."
                )
            raise LayerError(f"the network cannot be cut at {layer}: what follows it does not depend on it alone")
    return fallback


def named_part(module: torch.nn.Module, name: str) -> torch.nn.Module:
    """Return the part of `module` called `name`. Errors: `UnknownNameError` with the nearest names."""
    parts: dict[str, torch.nn.Module] = dict(module.named_modules())
    if not name or name not in parts:
        raise UnknownNameError("layer", name, [known for known in parts if known])
    return parts[name]


def _graph_split_or_none(
    module: torch.nn.Module, layer: str, run: int | None, inputs: torch.Tensor, expected: torch.Tensor
) -> Split | None:
    try:
        candidate = _graph_split(module, layer, run)
        return candidate if _holds(candidate, inputs, expected) else None
    except Exception as error:  # tracing runs the user's own forward code, which may raise anything
        logger.info("the graph of the network cannot be cut at %s: %s", layer, error)
        return None


def _holds(candidate: Split, inputs: torch.Tensor, expected: torch.Tensor) -> bool:
    cut = candidate.trunk(inputs)
    whole = candidate.head(cut)
    scale = 1e-4 * float(expected.abs().max()) + 1e-6
    if not torch.allclose(whole, expected, rtol=0, atol=scale):
        return False
    if len(inputs) == 1:
        return True
    first = cut.row(0)
    double = candidate.head(first.with_activations(first.activations.repeat(2, *[1] * (first.activations.ndim - 1))))
    return torch.allclose(double, expected[:1].expand_as(double), rtol=0, atol=scale)


class _Whole(torch.nn.Module):
    """A network called with an image alone, as it is used; so its other arguments are traced with their defaults.

    Of an object with `.logits`, which no graph can hold, only these go out.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: torch.Tensor) -> object:
        """(B, 3, H, W) -> what the network returns."""
        output = self.network(inputs)
        logits = None if isinstance(output, fx.Proxy) else getattr(output, "logits", None)
        return output if logits is None else logits


class _AncestorTracer(fx.Tracer):
    """Trace only the modules that contain `layer`; everything else stays whole, so little code has to be traceable.

    But for rows of parts that end in a softmax or sigmoid, which may be what is taken off the network.
    """

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.layer = layer

    def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
        return not (self.layer.startswith(module_qualified_name + ".") or ends_in_one(m))


def traced_at(module: torch.nn.Module, layer: str, run: int | None) -> tuple[torch.nn.Module, fx.Graph, fx.Node]:
    """The graph of `module`, a call of `layer` in it, and what it is the graph of: `module` as its `.network`.

    `run`: which call, from 0; None: the last.

    Errors: `LayerError` where the graph has no such call; whatever tracing the network's own code raises.
    """
    whole = _Whole(module)
    name = f"{PREFIX}{layer}"
    graph = _AncestorTracer(name).trace(whole)
    calls = [node for node in graph.nodes if node.op == "call_module" and node.target == name]
    if len(calls) <= (run or 0):
        raise LayerError(f"the graph of the network has no such call of {layer}")
    return whole, graph, calls[-1 if run is None else run]


def _graph_split(module: torch.nn.Module, layer: str, run: int | None) -> Split:
    whole, graph, at = traced_at(module, layer, run)
    after = _dependents(at)
    before = _needed_before(graph, at, after)
    context = [node for node in graph.nodes if node in before and not _is_remade(node)]
    trunk = fx.GraphModule(whole, _trunk_graph(graph, at, after, context))
    head = fx.GraphModule(whole, _head_graph(graph, at, after | (before - set(context)), context))
    # their plain `forward`: calling a GraphModule prints a traceback to stderr whenever it raises
    return Split(layer, "graph", lambda inputs: _as_cut(trunk.forward(inputs)), lambda cut: _run_head(head, cut), run)


def _dependents(start: fx.Node) -> set[fx.Node]:
    dependents: set[fx.Node] = set()
    queue = list(start.users)
    while queue:
        node = queue.pop()
        if node not in dependents:
            dependents.add(node)
            queue.extend(node.users)
    return dependents


def _needed_before(graph: fx.Graph, at: fx.Node, after: set[fx.Node]) -> set[fx.Node]:
    """What the head needs of the nodes before the cut: tensors, and what it makes again of them."""
    needed: set[fx.Node] = set()
    queue = [node for user in after for node in user.all_input_nodes]
    while queue:
        node = queue.pop()
        if node is at or node in after or node in needed:
            continue
        needed.add(node)
        if _is_remade(node):
            queue.extend(node.all_input_nodes)
    return needed


def _is_remade(node: fx.Node) -> bool:
    """Whether the head makes a value again: a parameter, or a size, which a batch of other rows would have wrong."""
    if node.op == "get_attr":
        return True
    if node.op == "call_method":
        return node.target in ("size", "dim")
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] in ("shape", "ndim", "dtype", "device")
    arithmetic = getattr(node.target, "__module__", None) == "_operator"
    return arithmetic and bool(node.all_input_nodes) and all(_is_remade(part) for part in node.all_input_nodes)


def _trunk_graph(graph: fx.Graph, at: fx.Node, after: set[fx.Node], context: list[fx.Node]) -> fx.Graph:
    trunk = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node not in after and node.op != "output":
            copies[node] = trunk.node_copy(node, lambda old: copies[old])
    trunk.output(tuple(copies[node] for node in (at, *context)))
    return trunk


def _head_graph(graph: fx.Graph, at: fx.Node, after: set[fx.Node], context: list[fx.Node]) -> fx.Graph:
    head = fx.Graph()
    copies = {node: head.placeholder(f"cut_{number}") for number, node in enumerate((at, *context))}
    for node in graph.nodes:
        if node in after:
            copies[node] = head.node_copy(node, lambda old: copies[old])
    return head


def _as_cut(values: tuple[Any, ...]) -> Cut:
    if not all(isinstance(value, torch.Tensor) for value in values):
        raise LayerError("the rest of the network needs more than tensors from before the layer")
    return Cut(values[0], tuple(values[1:]))


def _run_head(head: fx.GraphModule, cut: Cut) -> torch.Tensor:
    # a head that begins in place (ReLU) must not change the activations that the caller still needs
    return logits_of(head.forward(cut.activations.clone(), *cut.context))


def _rerun_split(module: torch.nn.Module, layer: str, run: int | None, example: torch.Tensor) -> Split:
    part = module.get_submodule(layer)
    replaced = count_calls(module, part, example) - 1 if run is None else run

    def trunk(inputs: torch.Tensor) -> Cut:
        seen: list[torch.Tensor] = []
        is_meant = run_counter(run)

        def keep(_: torch.nn.Module, __: object, output: object) -> None:
            if not is_meant():
                return
            tensor = first_tensor(output)
            if tensor is None:
                raise LayerError(f"expected layer {layer} to give a tensor; got {type(output).__name__}")
            seen.append(tensor.clone())

        with hooked(part.register_forward_hook(keep)):
            module(inputs)
        if not seen:
            raise LayerError(f"layer {layer} does not run in a forward pass")
        return Cut(seen[-1], (inputs,))

    def head(cut: Cut) -> torch.Tensor:
        inputs = cut.context[0]
        is_meant = run_counter(replaced)

        def put(_: torch.nn.Module, __: object, output: object) -> object:
            return with_first_tensor(output, cut.activations.clone()) if is_meant() else None

        with hooked(part.register_forward_hook(put)):
            return logits_of(module(inputs))

    return Split(layer, "rerun", trunk, head, run)
