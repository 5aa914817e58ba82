"""The softmax or sigmoid in which a network ends, and the same network without it.

Why this is hard: the last step may be a module, a function or a method of a tensor, with views, a clamp or another type
after it, and where it is saturated the equality of values proves nothing. So other numbers are put into a call while
the network runs: it is the last step if the scores are what it makes of these.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import fx
from torch.overrides import TorchFunctionMode

from lumiscope.errors import LayerError
from lumiscope.models._probability_form import AS_THEY_ARE, ProbabilityForm
from lumiscope.models._twin import Forward, twin

SQUASHING = frozenset({"softmax", "log_softmax", "special_softmax", "special_log_softmax", "softmin"}) | frozenset(
    {"sigmoid", "sigmoid_", "special_expit", "logsigmoid", "log_sigmoid"}
)
MODULES = (
    torch.nn.Softmax,
    torch.nn.Softmax2d,
    torch.nn.Softmin,
    torch.nn.LogSoftmax,
    torch.nn.Sigmoid,
    torch.nn.LogSigmoid,
)
LAST_CALLS = 4  # so many are tried: others are far from the end
CLOSE = 1e-5
MOST_CLAMPED = 0.01  # how far from 0 and 1


@dataclass(frozen=True)
class Ending:
    """The call in which a network ends. `activation`: what makes its scores of the call's input.

    `place`: 1 for the last of all such calls. `columns`: whether the input has classes before images. `pair`: of a
    single number z, the two scores that it stands for: -z and z, or the other way round. `negated`: whether the scores
    are made of the negative of the input, as by softmin or by 1 - sigmoid. `form`: in which it writes probabilities.
    """

    activation: Literal["softmax", "sigmoid"]
    place: int
    columns: bool
    pair: Literal["", "no first", "yes first"]
    negated: bool = False
    form: ProbabilityForm = AS_THEY_ARE

    @property
    def step(self) -> str:
        """What the network ends in, in words."""
        words = {"softmax": "softmin", "sigmoid": "sigmoid taken from 1"}
        return self.form.step.format(words[self.activation] if self.negated else self.activation)

    def logits(self, given: Any) -> Any:
        """(B, classes) of what the call is given: a tensor or, where the network is traced, its proxy."""
        rows = given.t() if self.columns else given
        rows = -rows if self.negated else rows
        if not self.pair:
            return rows if self.columns or isinstance(given, fx.Proxy) else rows.flatten(1)
        single = rows.reshape(-1, 1)
        return torch.cat([-single, single] if self.pair == "no first" else [single, -single], 1)

    def without(self, network: torch.nn.Module) -> torch.nn.Module:
        """`network` with what the call is given, (B, classes), in the place of its output."""

        def forward(run: Forward, inputs: torch.Tensor) -> Any:
            if isinstance(inputs, fx.Proxy):
                run(inputs)
                return self.logits(self._given_in_graph(inputs.tracer))
            with Calls(keep=self.place) as calls:
                run(inputs)
            return self.logits(calls.given[0])

        return twin(network, forward)

    def _given_in_graph(self, tracer: Any) -> fx.Proxy:
        """What the call is given, in the graph that is being traced. Errors: `LayerError` where it is not seen."""
        calls = [node for node in tracer.graph.nodes if _is_call(node, tracer.root)]
        if len(calls) < self.place:
            raise LayerError("the graph of the network does not show the softmax or sigmoid in which it ends")
        call = calls[-self.place]
        return fx.Proxy(call.args[0] if call.args else call.kwargs["input"], tracer)


class Calls(TorchFunctionMode):
    """While it is on, what softmax and sigmoid are given is kept; `given`: that of the last `keep` calls, in order.

    `put`: from what a call is given to what it gets instead.
    """

    def __init__(self, keep: int = LAST_CALLS, put: Callable[[torch.Tensor], torch.Tensor] | None = None) -> None:
        super().__init__()
        self.given: deque[torch.Tensor] = deque(maxlen=keep)
        self.put = put

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation; of a softmax or sigmoid, keep what it is given."""
        named = dict(kwargs or {})
        if getattr(func, "__name__", "") in SQUASHING:
            tensor = args[0] if args else named["input"]
            self.given.append(tensor.clone() if func.__name__.endswith("_") else tensor)
            if self.put is not None:
                tensor = self.put(tensor)
                args, named = (tensor, *args[1:]), {key: value for key, value in named.items() if key != "input"}
        return func(*args, **named)


def find_ending(
    scores_of: Forward, inputs: torch.Tensor, forms: Sequence[ProbabilityForm] = (AS_THEY_ARE,)
) -> Ending | None:
    """The softmax or sigmoid in which a network ends; None where there is none, or more comes after it.

    `scores_of`: `inputs`, (B, 3, H, W), to (B, outputs) scores, without gradients. `forms`: in which these may be
    probabilities.
    """
    with Calls() as calls:
        scores = _tensor(scores_of(inputs))
    for place, given in enumerate(reversed(calls.given), 1):
        if given.numel() in (len(scores), scores.numel()):
            ending = _as_ending(scores_of, inputs, forms, place, given)
            if ending is not None:
                return ending
    return None


def _as_ending(
    scores_of: Forward, inputs: torch.Tensor, forms: Sequence[ProbabilityForm], place: int, given: torch.Tensor
) -> Ending | None:
    """The call that was `given` this as the last step, if it is. Calls that were given the same count as one."""
    generator = torch.Generator().manual_seed(0)
    others = torch.randn(given.shape, generator=generator).to(given)

    def put(tensor: torch.Tensor) -> torch.Tensor:
        return others.clone() if tensor.shape == given.shape and torch.equal(tensor, given) else tensor

    with Calls(put=put):
        scores = _tensor(scores_of(inputs))
    for form in forms:
        probabilities = form.probabilities(scores)
        for ending in _endings(form, place, given, probabilities):
            if _makes(ending, others, probabilities):
                return ending
    return None


def _endings(form: ProbabilityForm, place: int, given: torch.Tensor, probabilities: torch.Tensor) -> Iterator[Ending]:
    """What a call that is given so many numbers may be, if it is the last step."""
    pairs: tuple[Literal["", "no first", "yes first"], ...] = ("",)
    if given.numel() < probabilities.numel():
        pairs = ("no first", "yes first")
    activations: tuple[Literal["softmax", "sigmoid"], ...] = ("softmax", "sigmoid")
    columns = (False, True) if given.ndim == 2 else (False,)
    signs = (False, True) if pairs == ("",) else (False,)
    for sign, activation, column, pair in itertools.product(signs, activations, columns, pairs):
        yield Ending(activation, place, column, pair, sign, form)


def _makes(ending: Ending, given: torch.Tensor, probabilities: torch.Tensor) -> bool:
    logits = ending.logits(given)
    if logits.shape != probabilities.shape or (ending.pair and ending.activation == "softmax"):
        return False
    made = logits.softmax(1) if ending.activation == "softmax" else logits.sigmoid()
    return are_made_of(made, probabilities, CLOSE)


def are_made_of(made: torch.Tensor, scores: torch.Tensor, tolerance: float) -> bool:
    """Whether `scores` are the probabilities `made`: as they are, in a narrower type, or clamped off 0 and 1."""
    low, high = float(scores.min()), float(scores.max())
    clamped = [made.clamp(low, high)] if 0 <= low <= MOST_CLAMPED and 1 - MOST_CLAMPED <= high <= 1 else []
    forms = (made, made.half(), made.bfloat16(), *clamped)
    return any(torch.allclose(form.to(scores), scores, rtol=0, atol=tolerance, equal_nan=True) for form in forms)


def _tensor(scores: object) -> torch.Tensor:
    assert isinstance(scores, torch.Tensor)
    return scores


def _is_call(node: fx.Node, root: torch.nn.Module) -> bool:
    if node.op == "call_function":
        return getattr(node.target, "__name__", "") in SQUASHING
    if node.op == "call_method":
        return node.target in SQUASHING
    return node.op == "call_module" and isinstance(root.get_submodule(str(node.target)), MODULES)


def ends_in_one(module: torch.nn.Module) -> bool:
    """Whether `module` is a row of parts of which the last is a softmax or sigmoid, or again such a row."""
    if type(module).forward is not torch.nn.Sequential.forward:
        return False
    last = next(reversed(list(module.children())), None)
    return last is not None and (isinstance(last, MODULES) or ends_in_one(last))
