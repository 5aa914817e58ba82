"""Which way the pixels take through a network: what every operation reads, seen in one forward pass.

Neither the names of parts nor their weights count here. Every operation that depends on the input makes a value; a
value is on the path if the scores depend on it, and of the trunk if nothing gets around it. A part that adds or
concatenates two values joins branches: it is a residual block or the like. One that joins its own input skips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lumiscope.models.guard import hooked
from lumiscope.models.outputs import first_tensor

JOINS = ("add", "cat", "stack")  # also add_, addcmul; what multiplies two values is a gate and no branch


@dataclass(frozen=True)
class Operation:
    """What made a value. `name`: as aten has it. `shape`: of the value. `part`: the innermost part that it ran in."""

    name: str
    shape: tuple[int, ...]
    part: str


@dataclass
class _Running:
    """A part that runs: the values it was given, and what it joined so far."""

    name: str
    given: frozenset[int]
    joins: bool = False
    skips: bool = False
    grown: set[int] = field(default_factory=set)  # what it was given, concatenated with more

    def join(self, value: int, read: set[int], *, concatenated: bool) -> None:
        """Note that it made `value` of several."""
        self.joins = True
        self.skips = self.skips or bool(read & self.given)
        if concatenated and read & (self.given | self.grown):
            self.grown.add(value)


class Flow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watch a forward pass over `inputs`: `reads` and `operations` of every value; what parts join, skip or grow.

    `joining`: parts that add or concatenate branches; `skipping`: those with their input among them; `growing`: that
    concatenate it with what they made, so that they get wider and wider.
    `around`: the parts that every part ran in. (It may have its name from elsewhere.) `passing`: those that
    last gave what they were given.
    """

    def __init__(self, inputs: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reads: list[set[int]] = [set()]
        self.operations = [Operation("", tuple(inputs.shape), "")]
        self.joining: set[str] = set()
        self._values = {_memory(inputs): 0}
        self.skipping: set[str] = set()
        self.growing: set[str] = set()
        self.around: dict[str, frozenset[str]] = {}
        self.passing: set[str] = set()
        self._running = [_Running("", frozenset())]

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run `operation`, and note what it read and what it made."""
        given = _tensors((args, kwargs))
        read = self.values_of(given)
        memories = {_memory(tensor) for tensor in given}
        returned = operation(*args, **(kwargs or {}))
        name = operation._schema.name.removeprefix("aten::")
        results = _tensors(returned)
        written = [_memory(tensor) for tensor in results]
        if not operation._schema.is_mutable:
            written = [memory for memory in written if memory not in memories]  # no new value is in a view
        for memory in written:
            self._values.pop(memory, None)  # of a tensor that is gone
        if read and written:
            value = len(self.reads)
            self._values |= dict.fromkeys(written, value)
            self.reads.append(read)
            self.operations.append(Operation(name, tuple(results[0].shape), self._running[-1].name))
            if len(read) > 1 and name.startswith(JOINS):
                self._running[-1].join(value, read, concatenated=name.startswith("cat"))
        return returned

    def value_of(self, tensor: torch.Tensor) -> int | None:
        """The number of the value in `tensor`; None where it does not depend on the input."""
        return self._values.get(_memory(tensor))

    def values_of(self, holder: object) -> set[int]:
        """The values in all tensors of a tuple, list or mapping."""
        return {value for tensor in _tensors(holder) if (value := self.value_of(tensor)) is not None}

    @contextmanager
    def watched(
        self, parts: Mapping[str, torch.nn.Module], note: Callable[[str, torch.nn.Module, object], None]
    ) -> Iterator[None]:
        """Watch what runs inside; `note`: called with name, part and output of every part that finished."""

        def enter(name: str) -> Callable[..., None]:
            def run(_: torch.nn.Module, *given: object) -> None:
                outer = frozenset(part.name for part in self._running[1:])
                self.around[name] = self.around.get(name, frozenset()) | outer
                self._running.append(_Running(name, frozenset(self.values_of(given))))

            return run

        def leave(part: torch.nn.Module, _: object, output: object) -> None:
            done = self._running.pop()
            tensor = first_tensor(output)
            value = None if tensor is None else self.value_of(tensor)
            for parts, so in (
                (self.joining, done.joins),
                (self.skipping, done.skips),
                (self.growing, value in done.grown),
                (self.passing, value in done.given),
            ):
                (parts.add if so else parts.discard)(done.name)
            note(done.name, part, output)

        before = [part.register_forward_pre_hook(enter(name), with_kwargs=True) for name, part in parts.items()]
        after = [part.register_forward_hook(leave) for part in parts.values()]
        with hooked(*before, *after), self:
            yield

    def path(self, end: int) -> set[int]:
        """The values on which the value `end` depends, and itself."""
        needed, queue = {end}, [end]
        while queue:
            fresh = self.reads[queue.pop()] - needed
            needed |= fresh
            queue += fresh
        return needed

    def trunk(self, end: int) -> set[int]:
        """Those values of the path to `end` that no way from the input gets around.

        In the order in which the values were made, nothing before such a value is read after it.
        """
        path = sorted(self.path(end))
        last_reader: dict[int, int] = {}
        for value in path:
            last_reader |= dict.fromkeys(self.reads[value], value)
        trunk, furthest = set(), 0
        for value in path:
            if furthest <= value:
                trunk.add(value)
            furthest = max(furthest, last_reader.get(value, value))
        return trunk


def watchable_parts(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The parts of `module` by name, without those that make a weight (`parametrize`) and TorchScript's."""
    return {
        name: part
        for name, part in module.named_modules()
        if name and "parametrizations" not in name.split(".") and not isinstance(part, torch.jit.ScriptModule)
    }


def _tensors(holder: object) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(holder) if isinstance(leaf, torch.Tensor)]


def _memory(tensor: torch.Tensor) -> int:
    """What tensors that are views of each other have in common."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # an opaque tensor
        return id(tensor)
