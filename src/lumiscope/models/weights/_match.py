"""How the tensors under one prefix of a file compare with what a network wants."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch

from lumiscope.models.weights.checkpoint import Checkpoint, preference

MOST_PREFIXES = 32
COUNTERS = ("num_batches_tracked",)
BESIDE = ("total_ops", "total_params", "num_batches_tracked")
"""What profilers put into every module, and counters: no weights, wherever they are."""


@dataclass(frozen=True)
class Match:
    """The tensors under `prefix`, held against the network's.

    `fitting`: network's key -> path in the file. `missing`, `other_shape`: network's keys. `unexpected`: paths under
    the prefix that belong to a part that the network has, which it has no tensor for: those of a larger network.
    `leftovers`: other paths of the same dict.
    """

    prefix: str
    fitting: Mapping[str, str]
    missing: tuple[str, ...] = ()
    other_shape: Mapping[str, str] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many keys fit, without counters."""
        return sum(not key.endswith(COUNTERS) for key in self.fitting)

    @property
    def complete(self) -> bool:
        """Whether the network gets everything that it wants, and nothing of the file is of a larger one."""
        return bool(self.fitting) and not (self.missing or self.other_shape or self.unexpected)


@dataclass(frozen=True)
class Wanted:
    """What a network wants: `shapes` of its tensors by key, and `buffers` that it makes itself."""

    shapes: Mapping[str, tuple[int, ...]]
    buffers: frozenset[str]

    @classmethod
    def of(cls, module: torch.nn.Module) -> Wanted:
        """What `module` wants. What is no tensor (extra state) stays as the module made it."""
        state = {key: value for key, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
        buffers = frozenset(name for name, _ in module.named_buffers()) - state.keys()
        return cls({key: tuple(value.shape) for key, value in state.items()}, buffers)

    @property
    def size(self) -> int:
        """How many keys it wants, without counters."""
        return sum(not key.endswith(COUNTERS) for key in self.shapes)

    @functools.cached_property
    def wrapper(self) -> str:
        """What all keys begin with, such as the `module.` of a wrapped network; "" for nothing."""
        heads = {key.partition(".")[0] for key in self.shapes if "." in key} if self.shapes else set()
        return f"{heads.pop()}." if len(heads) == 1 and all("." in key for key in self.shapes) else ""

    @functools.cached_property
    def heads(self) -> frozenset[str]:
        """What the keys begin with after the wrapper: the names of parts."""
        return frozenset(key.removeprefix(self.wrapper).partition(".")[0] for key in self.shapes)

    def has_part(self, key: str) -> bool:
        """Whether `key` belongs to a part that the network has, or to a further one of a numbered row."""
        head = key.removeprefix(self.wrapper).partition(".")[0]
        return head in self.heads or head.isdigit()


def matches(checkpoint: Checkpoint, wanted: Wanted) -> list[Match]:
    """The prefixes under which keys of the network are, best first: complete ones by `preference`, others by fit.

    A network whose keys all begin with a wrapper's name is held against files without it, too.
    """
    compared = [_match(checkpoint, wanted, prefix, "") for prefix in _prefixes(checkpoint.tensors, wanted.shapes)]
    if wanted.wrapper:
        bare = [key.removeprefix(wanted.wrapper) for key in wanted.shapes]
        compared += [
            _match(checkpoint, wanted, prefix, wanted.wrapper) for prefix in _prefixes(checkpoint.tensors, bare)
        ]
    return sorted(compared, key=lambda match: (not match.complete, *_rank(match)))


def _rank(match: Match) -> tuple[int, int, int]:
    fit = -len(match.fitting)
    return (*preference(match.prefix), fit) if match.complete else (fit, *preference(match.prefix))


def _prefixes(paths: Iterable[str], keys: Iterable[str]) -> list[str]:
    """The prefixes under which most of the keys are, at most `MOST_PREFIXES`."""
    known = set(keys)
    counts: Counter[str] = Counter()
    for path in paths:
        begin = 0
        while begin >= 0:
            if path[begin:] in known:
                counts[path[:begin]] += 1
            begin = path.find(".", begin) + 1 or -1
    return [prefix for prefix, _ in counts.most_common(MOST_PREFIXES)]


def _match(checkpoint: Checkpoint, wanted: Wanted, prefix: str, wrapper: str) -> Match:
    """`wrapper`: what the network's keys have in front that the file's have not."""
    fitting, other_shape, missing = {}, {}, []
    for key, shape in wanted.shapes.items():
        path = prefix + key.removeprefix(wrapper)
        if path not in checkpoint.tensors:
            missing += [] if key.endswith(COUNTERS) else [key]
        elif tuple(checkpoint.tensors[path].shape) == shape:
            fitting[key] = path
        else:
            other_shape[key] = path
    used = {*fitting.values(), *other_shape.values()}
    homes = {checkpoint.places[path] for path in used}
    used |= {part for path in used if path in checkpoint.made_of for part in checkpoint.made_of[path].parts}
    unexpected: list[str] = []
    leftovers: list[str] = []
    for path, home in checkpoint.places.items():
        if home not in homes or path in used or path in checkpoint.made_of or path.endswith(BESIDE):
            continue
        key = wrapper + path.removeprefix(prefix)
        if not path.startswith(prefix):
            leftovers.append(path)
        elif key not in wanted.buffers:
            (unexpected if wanted.has_part(key) else leftovers).append(path)
    return Match(prefix, fitting, tuple(missing), other_shape, tuple(unexpected), tuple(leftovers))
