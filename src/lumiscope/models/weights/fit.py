"""From the tensors of a file to the weights of a network."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from lumiscope.counts import counted, first_few
from lumiscope.errors import WeightsError
from lumiscope.models.weights._array import ArrayTensor
from lumiscope.models.weights._match import Match, Wanted, matches
from lumiscope.models.weights._misfit import misfit, summary
from lumiscope.models.weights._renamings import renamings, reshaped
from lumiscope.models.weights._stored import MadeTensor, numel
from lumiscope.models.weights.checkpoint import Checkpoint, why_before
from lumiscope.printable import printable

MOST_RENAMED = 4  # how many times as many numbers as the network has are read to try its renamings on
LISTED = 3
INSIDE_NAMES = ("_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module")
USUAL = {"", "state_dict", "model", "model_state_dict", "module", "_orig_mod"}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fit:
    """What loading a file did. `notes`: what a user should know. `unloaded`: keys that stayed as they were."""

    notes: tuple[str, ...] = ()
    unloaded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Plan:
    """What may be loaded: tensors of `checkpoint`, as `match` says. `changed`: what was done to the file before."""

    checkpoint: Checkpoint
    match: Match
    others: tuple[Match, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, int]:
        """Complete ones are best, then those of which most fits."""
        return self.match.complete, len(self.match.fitting)


def fit_weights(module: torch.nn.Module, checkpoint: Checkpoint, *, partial: bool, hint: str = "") -> Fit:
    """Load what fits `module`: from the one prefix of the file under which all of its keys are.

    Among several such prefixes `preference` decides, and a note says so; what else lies beside the weights is noted.
    Where none is, the architecture's own renamings are tried. Counters of batches (`num_batches_tracked`) change no
    output and may be missing. With `partial`, keys that are missing, unexpected or of another shape are left out.
    Errors: otherwise `WeightsError`, which says what would fit; `hint` says what a number of outputs that differs may
    come from.
    """
    wanted = Wanted.of(module)
    plan = _as_it_is(checkpoint, wanted)
    if not plan.match.complete:
        plan = max((plan, *_unwrapped(plan, wanted)), key=lambda plan: plan.rank)
    if not plan.match.complete:
        plan = max((plan, *_renamed(module, plan, wanted)), key=lambda plan: plan.rank)
    match, notes = plan.match, _notes(plan)
    if not match.complete:
        said = summary(plan.checkpoint, match, wanted)
        if not partial:
            raise WeightsError(misfit(plan.checkpoint, match, wanted, hint))
        if not match.fitting:
            raise WeightsError(f"nothing in {checkpoint.path} fits this model: {said}")
        notes.append(f"weights left out: {said}")
    _load(module, plan.checkpoint, match.fitting)
    return Fit(tuple(map(printable, notes)), frozenset((*match.missing, *match.other_shape)))


def _as_it_is(checkpoint: Checkpoint, wanted: Wanted) -> _Plan:
    compared = matches(checkpoint, wanted)
    if not compared:
        return _Plan(checkpoint, Match("", {}, tuple(wanted.shapes)))
    distinct: dict[frozenset[str], Match] = {}  # the same tensors may be reached from two prefixes
    for match in compared:
        if match.complete:
            distinct.setdefault(frozenset(match.fitting.values()), match)
    return _Plan(checkpoint, compared[0], tuple(distinct.values())[1:])


def _unwrapped(plan: _Plan, wanted: Wanted) -> Iterator[_Plan]:
    """The file without what wraps parts of a network (compiled, sharded, recomputed) in its names, if it has any."""
    inside = [word for word in INSIDE_NAMES if any(f".{word}." in f".{path}" for path in plan.checkpoint.tensors)]
    if inside:
        changed = f"names of wrappers ({', '.join(inside)}) were taken out of those in {plan.checkpoint.path.name}"
        yield dataclasses.replace(_as_it_is(plan.checkpoint.without(inside), wanted), changed=(changed,))


def _load(module: torch.nn.Module, checkpoint: Checkpoint, fitting: Mapping[str, str]) -> None:
    """Put tensors under the network's own keys; its parts are told that these are of their own version.

    Errors: `WeightsError` for complex numbers where the network's are real: torch would take their real parts.
    """
    before = module.state_dict()
    state: OrderedDict[str, object] = OrderedDict()
    complex_paths: list[str] = []
    for key, path in fitting.items():
        state[key] = tensor = checkpoint.tensors[path].load()
        if tensor.is_complex() and not before[key].is_complex():
            complex_paths.append(path)
    if complex_paths:
        listed = first_few([printable(path) for path in complex_paths], LISTED)
        raise WeightsError(
            f"expected real numbers in {checkpoint.path}, as the network has them; complex are {listed}. Save their "
            "real parts if these are meant."
        )
    state.update((key, value) for key, value in before.items() if not isinstance(value, torch.Tensor))
    state._metadata = before._metadata  # type: ignore[attr-defined]
    module.load_state_dict(state, strict=False)


def _notes(plan: _Plan) -> list[str]:
    """What was changed, chosen, folded and left over."""
    checkpoint, match = plan.checkpoint, plan.match
    notes = list(plan.changed)
    if match.complete and plan.others:
        others = plan.others[:LISTED]
        reasons = dict.fromkeys(_why_before(match, other) for other in others)
        notes.append(
            f"weights taken from {match.prefix or 'the top'!r} of {checkpoint.path.name}; those of "
            f"{', '.join(repr(other.prefix or 'the top') for other in others)} fit as well ({'; '.join(reasons)})"
        )
    elif not set(match.prefix.split(".")) <= USUAL:
        notes.append(f"{match.prefix!r} was taken off the names in {checkpoint.path.name}")
    used = [checkpoint.made_of[path].kind for path in match.fitting.values() if path in checkpoint.made_of]
    notes += [f"{kind} folded in {count} weights" for kind, count in Counter(used).items()]
    if arrays := sum(isinstance(checkpoint.tensors[path], ArrayTensor) for path in match.fitting.values()):
        notes.append(f"{arrays} weights in {checkpoint.path.name} are arrays of NumPy, and were taken as tensors")
    if match.leftovers:
        shown = ", ".join(match.leftovers[:LISTED])
        more = f", … {len(match.leftovers) - LISTED} more" if len(match.leftovers) > LISTED else ""
        notes.append(f"{counted(len(match.leftovers), 'tensor')} beside the weights left over: {shown}{more}")
    return notes


def _why_before(match: Match, other: Match) -> str:
    """By which rule `match` was taken, and not `other`."""
    if rule := why_before(match.prefix, other.prefix):
        return rule
    if len(match.fitting) > len(other.fitting):
        return "the one with more counters of batches"
    return "the first in the file; nothing says which is meant: save the other alone if it is that one"


def _renamed(module: torch.nn.Module, plan: _Plan, wanted: Wanted) -> Iterator[_Plan]:
    """The file as the architecture's own code renames it, where that can be done; up to the first that fits."""
    checkpoint = plan.checkpoint
    most = MOST_RENAMED * sum(math.prod(shape) for shape in wanted.shapes.values())
    # where renamings may find what they expect: at the best prefix, or in the dict that most likely holds weights
    for place in dict.fromkeys((plan.match.prefix, checkpoint.choice())):
        paths = [path for path in checkpoint.tensors if path.startswith(place) and path not in checkpoint.made_of]
        if sum(numel(checkpoint.tensors[path]) for path in paths) > most:
            continue
        state = {path.removeprefix(place): checkpoint.tensors[path].load() for path in paths}
        for name, rename in renamings(module):
            try:
                changed = rename(dict(state))
                renamed = _as_it_is(_held(checkpoint, changed), wanted)
            except Exception as error:  # the architecture's own code, on a file that need not be of it
                logger.info("%s does not take %s: %s", name, checkpoint.path, error)
                continue
            noted = [f"names in {checkpoint.path.name} changed by {name}", *reshaped(state, changed)[:LISTED]]
            yield dataclasses.replace(renamed, changed=tuple(noted))
            if renamed.match.complete:
                return


def _held(checkpoint: Checkpoint, state: Mapping[str, torch.Tensor]) -> Checkpoint:
    """Tensors in memory as a file that holds them at its top."""
    tensors = {
        name: MadeTensor(tuple(value.shape), lambda value=value: value)  # type: ignore[misc]
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }
    return dataclasses.replace(checkpoint, tensors=tensors, places=dict.fromkeys(tensors, ""), made_of={})
