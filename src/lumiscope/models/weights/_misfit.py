"""What is said of a file that does not fit: how much of it does, three examples, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.counts import first_few
from lumiscope.models.weights._match import Match, Wanted
from lumiscope.models.weights.checkpoint import Checkpoint

LISTED = 3


def misfit(checkpoint: Checkpoint, match: Match, wanted: Wanted, hint: str) -> str:
    """The whole message."""
    says = f" The file says that it is a {checkpoint.architecture!r}." if checkpoint.architecture else ""
    return (
        f"{checkpoint.path} does not fit this model: {summary(checkpoint, match, wanted)}.{says} "
        f"{_advice(checkpoint, match, wanted, hint)}"
    )


def summary(checkpoint: Checkpoint, match: Match, wanted: Wanted) -> str:
    """How many keys fit, and what does not."""
    off = f" if {match.prefix!r} is taken off" if match.prefix and match.fitting else ""
    shapes = [
        f"{key} (file {tuple(checkpoint.tensors[path].shape)}, model {wanted.shapes[key]})"
        for key, path in match.other_shape.items()
    ]
    bare = {key: key.removeprefix(wanted.wrapper) for key in match.missing}
    places = {key: {match.prefix + key, match.prefix + inner} & checkpoint.unread.keys() for key, inner in bare.items()}
    unread = [f"{key} is {checkpoint.unread[min(places[key])]}" for key in match.missing if places[key]]
    problems = [
        f"{match.size} of {wanted.size} keys fit{off}",
        _listed("missing", [key for key in match.missing if not places[key]]),
        _listed("not read", unread),
        _listed("unexpected", match.unexpected),
        _listed("of another shape", shapes),
    ]
    if not match.fitting and not match.other_shape:
        problems.append(f"the file has {len(checkpoint.tensors)}: {_cut(list(checkpoint.tensors))}")
    return "; ".join(problem for problem in problems if problem)


def _listed(what: str, keys: Sequence[str]) -> str:
    return f"{len(keys)} {what}: {_cut(keys)}" if keys else ""


def _cut(keys: Sequence[str]) -> str:
    return first_few(keys, LISTED, more=", … {} more")


def _advice(checkpoint: Checkpoint, match: Match, wanted: Wanted, hint: str) -> str:
    sizes = set()
    for key, path in match.other_shape.items():
        came, expected = tuple(checkpoint.tensors[path].shape), wanted.shapes[key]
        sizes.add(came[:1] if came[1:] == expected[1:] else None)
    near = not match.missing or 2 * match.size >= wanted.size
    size = sizes.pop() if len(sizes) == 1 and near else None
    alone = "all else fits: " if not match.missing and not match.unexpected else ""
    if size and hint:
        return f"The weights have {size[0]} outputs, but {hint}"
    if size:
        return f"The number of outputs differs; {alone}--num-classes {size[0]} may be what is missing."
    if not match.fitting:
        return "The file is of another architecture: check the model spec and its --model-option values."
    if match.unexpected and not match.missing:
        return "The file is of a larger network of this kind: check the model spec, or allow it with --weights-partial."
    return "Check the model spec and its --model-option values, or allow it with --weights-partial."
