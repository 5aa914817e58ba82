"""What is in a file of weights: every tensor by the path that leads to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from lumiscope.counts import first_few
from lumiscope.errors import WeightsError
from lumiscope.models.weights._array import ArrayTensor, Encoded
from lumiscope.models.weights._derived import Folded, folded
from lumiscope.models.weights._open_file import open_file
from lumiscope.models.weights._stored import MadeTensor, StorageTensor, Stored
from lumiscope.models.weights._tensor_pickle import Inert, kind_of
from lumiscope.printable import printable

OFFLINE_WAYS = (
    "Without a network: give a weight file with --weights FILE (.safetensors, .pt, .pth or .pth.tar), put the download "
    "into the cache that HF_HOME or TORCH_HOME names and set HF_HUB_OFFLINE=1, or ask for random weights with "
    "--weights random."
)
SUFFIXES = (".safetensors", ".pt", ".pth", ".pth.tar", ".bin", ".ckpt")  # what weights are mostly called
CONFIG = "config.json"  # of timm, beside weights
LISTED = 3
MOST_DEPTH = 12
MOST_STEPS = 200_000
MOST_TENSORS = 200_000
AVERAGED = ("state_dict_ema", "model_ema", "ema", "params_ema", "teacher")
RAW = ("state_dict", "model", "model_state_dict", "net", "network", "weights", "params")
OF_TRAINING = len(AVERAGED + RAW) + 1  # the last rank; that of unknown names lies before it
HELD = (StorageTensor, MadeTensor, ArrayTensor)
WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file.

    `tensors`: by path, the keys of every dict and the numbers of every list on the way, joined by dots: so
    "model_ema.layer1.0.weight" lies in "model_ema.". `places`: path -> the dict in which it lies, with its dot.
    `made_of`: path of a tensor that others were folded to -> what became of them. `architecture`: what the file says.
    `unread`: path of a tensor whose numbers are not read -> what kind it is.
    """

    path: Path
    tensors: Mapping[str, Stored]
    places: Mapping[str, str]
    made_of: Mapping[str, Folded]
    architecture: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)

    def choice(self) -> str:
        """The dict that most likely holds the weights where there is no network to compare with: its prefix."""
        counts: dict[str, int] = {}
        for place in self.places.values():
            counts[place] = counts.get(place, 0) + 1
        return min(counts, key=lambda place: (*preference(place), -counts[place]))

    def without(self, words: Collection[str]) -> Checkpoint:
        """The same without these words in paths, "a.words.b" becomes "a.b"."""

        def name(path: str) -> str:
            return ".".join(word for word in path.split(".") if word not in words)

        return replace(
            self,
            tensors={name(path): tensor for path, tensor in self.tensors.items()},
            places={name(path): name(place) for path, place in self.places.items()},
            made_of={
                name(path): replace(fold, parts=tuple(map(name, fold.parts))) for path, fold in self.made_of.items()
            },
            unread={name(path): kind for path, kind in self.unread.items()},
        )


def check_weights(path: Path) -> None:
    """Raise `WeightsError` where there is no file at `path`, but nothing or a folder."""
    if path.is_dir():
        raise WeightsError(f"expected a weight file; {path} is a folder. {_in_folder(path)}")
    if not path.is_file():
        raise WeightsError(f"there is no weight file {path}. {OFFLINE_WAYS}")


def _in_folder(folder: Path) -> str:
    """What may be given in place of a folder."""
    try:
        names = {entry.name for entry in folder.iterdir() if entry.is_file()}
    except OSError:
        names = set()
    files = sorted(name for name in names if name.endswith(SUFFIXES))
    listed = first_few([printable(name) for name in files], LISTED)
    way = (
        f"Give a file in it: {listed}" if files else f"No file in it ends in {', '.join(SUFFIXES)}: give one that does"
    )
    config = f"; or the folder as the model, with its weights: --model local-dir:{folder}" if CONFIG in names else ""
    return f"{way}{config}."


def read_checkpoint(path: Path) -> Checkpoint:
    """Find every tensor in a file; none is read yet, and no code of the file runs.

    Errors: `WeightsError` for a file that is missing, damaged, hostile, or holds no tensors.
    """
    check_weights(path)
    content = open_file(path)
    tensors: dict[str, Stored] = {}
    places: dict[str, str] = {}
    walk = _Walk(path)
    for place, key, tensor in walk.tensors(content if isinstance(content, dict | list | tuple) else ()):
        tensors.setdefault(f"{place}{key}", tensor)
        places.setdefault(f"{place}{key}", place)
        if len(tensors) > MOST_TENSORS:
            raise WeightsError(f"{path} cannot be read as weights: it has more than {MOST_TENSORS:,} tensors")
    tensors = _weights_among(tensors, places)
    places = {name: places[name] for name in tensors}
    if not tensors:
        raise WeightsError(
            f"expected tensors in {path}, in a dict under names that are text; found none in {_came(content, walk)}"
        )
    made_of = folded(tensors)
    tensors |= {name: fold.tensor for name, fold in made_of.items()}
    places |= {name: places[fold.parts[0]] for name, fold in made_of.items()}
    said = content.get("arch") if isinstance(content, Mapping) else None
    return Checkpoint(path, tensors, places, made_of, said if isinstance(said, str) else "", walk.unread)


def _came(content: Any, walk: _Walk) -> str:
    """What is in a file without tensors that are read, and why they are not."""
    keys = ", ".join(repr(key)[:40] for key in list(content)[:6]) if isinstance(content, dict) else ""
    kind = "tensor or array alone" if isinstance(content, HELD) else kind_of(content)
    reasons = [f"{name} is {what}" for name, what in list(walk.unread.items())[:1]]
    if isinstance(content, dict) and any(isinstance(key, bytes | Encoded) for key in content):
        reasons.append("names that are bytes are not read: decode them and save it again")
    return "; ".join([f"a {kind}{f' with {keys}' if keys else ''}", *reasons])


def _weights_among(tensors: Mapping[str, Stored], places: Mapping[str, str]) -> dict[str, Stored]:
    """All tensors, and the arrays of NumPy that lie in a dict with some or are called as one; without tensors, all.

    What else a file with tensors has in arrays is a record of the training.
    """
    proper = [name for name, tensor in tensors.items() if not isinstance(tensor, ArrayTensor)]
    homes = {places[name] for name in proper}
    keys = {name.removeprefix(places[name]) for name in proper}

    def is_weight(name: str) -> bool:
        return not proper or places[name] in homes or name.removeprefix(places[name]) in keys

    return {name: tensor for name, tensor in tensors.items() if is_weight(name)}


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, without a network that says which are wanted: those of its state dict.

    Derived weights are folded, and wrappers that all names share (`module.`) are taken off. Errors: as
    `read_checkpoint`.
    """
    checkpoint = read_checkpoint(path)
    place = checkpoint.choice()
    parts = {part for fold in checkpoint.made_of.values() for part in fold.parts}
    names = [name for name, home in checkpoint.places.items() if home == place and name not in parts]
    while wrapper := next((w for w in WRAPPERS if all(name.startswith(place + w) for name in names)), ""):
        place += wrapper
    return {name.removeprefix(place): checkpoint.tensors[name].load() for name in names}


def preference(prefix: str) -> tuple[int, int]:
    """Which of several sets of weights is taken, smallest first.

    Averaged ones (EMA, a teacher) before those that they were averaged of, as timm does; then what is called a model;
    then the shortest way; what belongs to the training comes last.
    """
    words = [word for word in prefix.split(".") if word]
    ranks = [(AVERAGED + RAW).index(word) for word in words if word in AVERAGED + RAW]
    if any(re.search(r"(^|_)(ema|averaged|swa|teacher)(_|$)", word.lower()) for word in words):
        ranks.append(len(AVERAGED) - 1)
    if any(re.search(r"(^|_)(grads?|gradients?|momentum|optimi[sz]er)(_|$)", word.lower()) for word in words):
        ranks = [OF_TRAINING]
    return min(ranks, default=OF_TRAINING - 1), len(words)


def why_before(prefix: str, other: str) -> str:
    """By which rule of `preference` the weights under `prefix` go before those under `other`; "" for none."""
    (rank, depth), (other_rank, other_depth) = preference(prefix), preference(other)
    if rank < len(AVERAGED) <= other_rank:
        return "averaged weights, EMA or teacher, go before raw ones, as in timm"
    if rank < other_rank == OF_TRAINING:
        return "what belongs to the training comes last"
    if rank < other_rank:
        return "usual names go first"
    return "the shorter way goes first" if (rank, depth) < (other_rank, other_depth) else ""


class _Walk:
    """The way through the content of a file. `path`: what errors call it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps = 0
        self.unread: dict[str, str] = {}

    def tensors(self, value: Any, place: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, str, Stored]]:
        """(place, key, tensor) of every tensor in a dict.

        Errors: `WeightsError` for what holds itself, is too deep, or is shared between too many places.
        """
        self.steps += 1
        if id(value) in above or len(above) > MOST_DEPTH or self.steps > MOST_STEPS:
            raise WeightsError(
                f"{self.path} cannot be read as weights: at {place[:80] or 'its top'!r} it holds itself, is nested "
                f"more than {MOST_DEPTH} levels deep, or has more than {MOST_STEPS:,} dicts and lists"
            )
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(part, HELD) and getattr(part, "filled", True):
                if isinstance(key, str) and key:
                    yield place, key, part
            elif isinstance(part, dict | list | tuple) and isinstance(key, str | int):
                yield from self.tensors(part, f"{place}{key}.", (*above, id(value)))
            elif isinstance(part, Inert) and part.tensor and isinstance(key, str | int):
                self.unread[f"{place}{key}"] = part.tensor
