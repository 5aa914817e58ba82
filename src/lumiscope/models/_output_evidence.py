"""What a network shows of each of its several outputs in one run: of what the numbers were computed, and where.

Why this is hard: features beside scores may be detached, copied or run without gradients, so autograd cannot tell what
was made of what. Every operation is watched instead (see `_flow`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from lumiscope.models._candidates import Candidate, candidates
from lumiscope.models._features import CLASSIFIERS
from lumiscope.models._flow import Flow, Operation, watchable_parts

LINEAR = frozenset({"addmm", "mm", "bmm", "baddbmm", "addmv", "mv", "linear", "convolution", "mkldnn_linear"})
COPIES = frozenset({"clone", "_to_copy", "copy_", "detach"})
NOBODY: frozenset[str] = frozenset()
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutputEvidence:
    """What is known of outputs, by name; empty where nothing is.

    `features`: a linear layer makes another output of them. `summaries`: they have fewer numbers than their last linear
    layer gives, as a confidence or the best few. `weighed`: that layer was given a row an image. `classifiers`: it is
    called as classifiers are. `derived`: computed of another one. `declared`: the numbers of classes that the network
    says it has.
    """

    features: frozenset[str] = NOBODY
    summaries: frozenset[str] = NOBODY
    weighed: frozenset[str] = NOBODY
    classifiers: frozenset[str] = NOBODY
    derived: frozenset[str] = NOBODY
    declared: frozenset[int] = frozenset()


def output_evidence(network: torch.nn.Module, inputs: torch.Tensor) -> OutputEvidence:
    """Run `network` once on `inputs`, (B, C, H, W), and see how its outputs came about."""
    said = (getattr(part, "num_classes", None) for part in network.modules())
    declared = frozenset(number for number in said if isinstance(number, int))
    inputs = inputs.detach().clone()  # a network may write to it
    flow = Flow(inputs)
    try:
        with torch.no_grad(), flow.watched(watchable_parts(network), lambda *_: None):
            returned = network(inputs)
    except Exception as error:  # the user's own code, under watch
        logger.info("the outputs of the network cannot be watched: %s", error)
        return OutputEvidence(declared=declared)
    outputs = {candidate.name: candidate for candidate in candidates(returned, len(inputs))}
    values = {name: value for name, each in outputs.items() if (value := _source(flow, each.of(returned))) is not None}
    return _of_values(flow, outputs, values, declared)


def _of_values(
    flow: Flow, outputs: dict[str, Candidate], values: dict[str, int], declared: frozenset[int]
) -> OutputEvidence:
    """The evidence on outputs with these `values`."""
    ways = {name: _Way.back_from(flow, value) for name, value in values.items()}

    def named(names: Iterable[str]) -> frozenset[str]:
        return frozenset(names)

    images = flow.operations[0].shape[0]
    return OutputEvidence(
        features=named(name for name, value in values.items() if any(value in way.behind for way in ways.values())),
        summaries=named(name for name, way in ways.items() if way.gives_more_than(outputs[name].outputs)),
        weighed=named(name for name, way in ways.items() if way.weighs_rows(images)),
        classifiers=named(name for name, way in ways.items() if way.is_called_classifier),
        derived=named(
            name
            for name, way in ways.items()
            if any(value in way.before | way.behind for value in values.values() if value != values[name])
        ),
        declared=declared,
    )


@dataclass(frozen=True)
class _Way:
    """The way back from an output. `last`: the linear layers that come first on it. `before`: values between these and
    the output, it included; `behind`: those that such a layer was given, or that come before.
    """

    last: tuple[Operation, ...]
    before: frozenset[int]
    behind: frozenset[int]

    @classmethod
    def back_from(cls, flow: Flow, end: int) -> _Way:
        """The way back from the value `end`."""
        last, before, queue = [], {end}, [end]
        behind: set[int] = set()
        while queue:
            value = queue.pop()
            if flow.operations[value].name in LINEAR:
                last.append(value)
                continue
            fresh = flow.reads[value] - before
            before |= fresh
            queue += fresh
        for value in last:
            for given in flow.reads[value]:
                behind |= flow.path(given)
        return cls(tuple(flow.operations[value] for value in last), frozenset(before), frozenset(behind))

    def gives_more_than(self, outputs: int) -> bool:
        """Whether each of the layers gives more numbers than there are `outputs`."""
        return bool(self.last) and all(_width(layer) > outputs for layer in self.last)

    def weighs_rows(self, images: int) -> bool:
        """Whether each of the layers was given a row for each of so many images."""
        return bool(self.last) and all(len(layer.shape) == 2 and layer.shape[0] == images for layer in self.last)

    @property
    def is_called_classifier(self) -> bool:
        """Whether one of the layers is, or is in, a part that is called as classifiers are."""
        return any(name in CLASSIFIERS for layer in self.last for name in layer.part.split("."))


def _width(layer: Operation) -> int:
    return layer.shape[1] if layer.name == "convolution" else layer.shape[-1]


def _source(flow: Flow, output: object) -> int | None:
    """The value in an output, or the one that it is a copy of; None where it does not depend on the input."""
    value = flow.value_of(output) if isinstance(output, torch.Tensor) else None
    while value is not None and flow.operations[value].name in COPIES and len(flow.reads[value]) == 1:
        (value,) = flow.reads[value]
    return value
