"""Backbones: networks that end in features of an image, not in scores of classes."""

from __future__ import annotations

import torch

from lumiscope.models._candidates import FEATURES, SCORES, Candidate
from lumiscope.models._last_step import ends_in_features, last_weight
from lumiscope.models._probability_form import sure_form
from lumiscope.models._score_kind import kind_of
from lumiscope.models._twin import twin

NOTHING = (torch.nn.Identity, torch.nn.Dropout, torch.nn.Flatten)
CLASSIFIERS = ("fc", "head", "heads", "classifier", "last_linear")
PROJECTIONS = frozenset({"proj", "projection", "projector"})  # words in the name of a weight
OUTPUTS = frozenset({"out", "output", "class", "classes", "cls", "logits"})  # words beside these
UNIT_LENGTH = 1e-3  # what the length of a row may be off
FEWEST_FEATURES = 3  # fewer numbers are a yes or no


def is_headless(network: torch.nn.Module, output: Candidate) -> bool:
    """Whether `output` holds features: by its name, by what the network says, by what is in a classifier's place.

    Or by what made it (see `ends_in_features`), be it a linear layer that is called a projection, or by rows of length
    1, unless the network says that it has so many classes.
    """
    if output.is_features or getattr(network, "num_classes", None) == 0 or _classifier_is_left_out(network):
        return True
    declared = any(getattr(part, "num_classes", None) == output.outputs for part in network.modules())
    if declared or output.last_name in SCORES or output.outputs < FEWEST_FEATURES:
        return False
    return has_unit_length(output.rows) or ends_in_features(output.rows) or _is_projected(network, output.rows)


def _is_projected(network: torch.nn.Module, rows: torch.Tensor) -> bool:
    """Whether the last linear layer is called a projection, as in CLIP or SimCLR, and not also a head or an output."""
    weight = last_weight(rows)
    if weight is None:
        return False
    memory = weight.untyped_storage().data_ptr()
    names = [name for name, own in network.named_parameters() if own.untyped_storage().data_ptr() == memory]
    parts = names[0].lower().split(".") if names else []
    words = {word for part in parts for word in part.split("_")}
    return bool(words & PROJECTIONS) and not words & OUTPUTS and not set(parts) & set(CLASSIFIERS)


def has_unit_length(rows: torch.Tensor) -> bool:
    """Whether (B, outputs) rows are normalised in L2, and no probabilities of which one is 1, in any form."""
    values = rows.detach().float()
    lengths = values.norm(dim=1)
    unit = torch.allclose(lengths, torch.ones_like(lengths), rtol=0, atol=UNIT_LENGTH)
    return unit and kind_of(values.cpu().numpy()) != "shares" and sure_form(values) is None


def _classifier_is_left_out(network: torch.nn.Module) -> bool:
    """Whether every part that is called a classifier does nothing but drop or flatten."""
    named = [getattr(network, name, None) for name in CLASSIFIERS]
    parts = [part for part in named if isinstance(part, torch.nn.Module)]
    return bool(parts) and all(_does_nothing(part) for part in parts)


def _does_nothing(part: torch.nn.Module) -> bool:
    if isinstance(part, torch.nn.Sequential):
        return all(map(_does_nothing, part))
    return isinstance(part, NOTHING)


def pooled_features(
    network: torch.nn.Module, returned: object, inputs: torch.Tensor
) -> tuple[torch.nn.Module, object, bool]:
    """Of a backbone that returns maps or tokens alone: a twin that returns their mean over the positions, (B, C).

    `returned`: what the network gives for the first two of `inputs`. Any other network: as it is, and False.
    """
    maps = _maps(returned)
    named = maps is not None and maps is not returned
    headless = named or getattr(network, "num_classes", None) == 0
    if maps is None or len(maps) != 2 or not (headless or ends_in_features(maps)):
        return network, returned, False
    positions = _axes_of_positions(maps, inputs)

    def mean(output: object) -> torch.Tensor:
        tensor = _maps(output)
        assert tensor is not None
        return tensor.mean(positions)

    return twin(network, lambda run, inputs: mean(run(inputs))), mean(returned), True


def _maps(returned: object) -> torch.Tensor | None:
    """The maps or tokens that are all that a network returns, perhaps under the name of features; None otherwise.

    Maps of a single position are rows already.
    """
    if isinstance(returned, dict):
        tensors = {key: value for key, value in returned.items() if isinstance(value, torch.Tensor)}
        named = [value for key, value in tensors.items() if key in FEATURES]
        alone = len(named) == len(tensors) and all(value.ndim > 2 for value in named)
        returned = named[0] if named and alone else None
    if not isinstance(returned, torch.Tensor) or returned.ndim not in (3, 4):
        return None
    return returned


def _axes_of_positions(maps: torch.Tensor, inputs: torch.Tensor) -> tuple[int, ...]:
    """Of (B, tokens, C) the tokens; of maps height and width: the two axes in the ratio of the input's, last or not."""
    if maps.ndim == 3:
        return (1,)
    height, width = inputs.shape[2:]
    fits = [abs(maps.shape[row] * width - maps.shape[row + 1] * height) < max(height, width) for row in (1, 2)]
    return (1, 2) if fits == [True, False] else (2, 3)
