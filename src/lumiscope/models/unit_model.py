"""The units of a layer in the place of a model's classes, so that whatever explains a class explains a unit."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import torch

from lumiscope.errors import LayerError, UsageError
from lumiscope.models._cut_off import cut_off
from lumiscope.models.guard import borrowed
from lumiscope.models.layers import Layer, trace_layers
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.unit_pooling import find_layer, locate_units
from lumiscope.unit_address import CLASS_TOKEN, UnitAddress


class UnitModel(TorchModel):
    """`model` cut off after a layer: its scores are (B, U) mean activations of the units, raw, no probabilities.

    The classes are the units' addresses, "layer4:0" and so on. A layer with one unit has a second class before it,
    "minus layer:0". The network's parts are those of `model`. `units`: how many there are. Errors:
    `UnknownNameError` for a layer that does not exist; `LayerError` where it has no units for a whole image.
    """

    def __init__(self, model: TorchModel, layer: str) -> None:
        of_units, pooling = locate_units(model, layer)
        self.whole = model
        self.unit_layer = layer
        self.units = of_units.units
        self._end = of_units.name
        with borrowed(model.network):
            network = cut_off(model.network, of_units.name, pooling, model._example(2))
        super().__init__(
            network,
            model.geometry,
            mean=model.mean,
            std=model.std,
            bands=model.reading.bands,
            shown_bands=model.reading.shown,
            classes=(f"minus {layer}:0",) * pooling.single + tuple(f"{layer}:{unit}" for unit in range(self.units)),
            activation="raw",
            name=model.name,
            spec=model.spec,
            options=model.options,
            notes=model.notes,
        )
        self.alone = model.alone

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sha256 (hex) of the whole model's fingerprint and the layer."""
        return hashlib.sha256(f"units of {self.unit_layer} {self.whole.fingerprint}".encode()).hexdigest()

    @functools.cached_property
    def layers(self) -> list[Layer]:
        """The layers up to the units' own; their layouts are those that the whole network shows."""
        whole = {(layer.name, layer.shape): layer for layer in self.whole.layers}
        layers = []
        for layer in trace_layers(self.network, self._example(2)):
            known = whole.get((layer.name, layer.shape), layer)
            layers.append(dataclasses.replace(layer, layout=known.layout, class_token=known.class_token))
        return layers

    @functools.cached_property
    def target_layer(self) -> str:
        """Where the CAM family looks unless told otherwise: the units' own layer if its maps decide, else before it.

        A class token depends on no patch of its own layer, and features without positions on those before.
        """
        last = next((layer for layer in self.layers if layer.name == self._end), None)
        if last is not None and last.has_map and not self.unit_layer.endswith(CLASS_TOKEN):
            return self._end
        return super().target_layer

    def check_layers(self, wanted: Sequence[str]) -> None:
        """Look names up among the parts of the whole network; `select_layers` says which of them come too late."""
        self.whole.check_layers(wanted)

    def select_layers(self, wanted: Sequence[str]) -> list[str]:
        """Turn names and wildcards into names of layers up to the units' own. Errors: `LayerError` for later ones."""
        for name in wanted:
            self._refuse_later(name)
        return super().select_layers(wanted)

    def layer(self, name: str) -> torch.nn.Module:
        """Return the module called `name`. Errors: `UnknownNameError`; `LayerError` for one after the units' own."""
        self._refuse_later(name)
        return super().layer(name)

    def _refuse_later(self, name: str) -> None:
        if name in (layer.name for layer in self.layers) or name not in (layer.name for layer in self.whole.layers):
            return
        raise LayerError(
            f"expected a layer on which the units of {self.unit_layer} depend; {name} comes after them, or on another "
            f"way. The last one with maps is {self.target_layer}."
        )


def unit_model(model: TorchModel, address: str | UnitAddress) -> tuple[UnitModel, int]:
    """The units of the layer that `address` names as classes of a model, and the column of the unit itself.

    As a target, that column explains the unit, which is what `explain(model, images, unit="layer4:447")` does. Errors:
    `UsageError` for no address or a unit that the layer does not have; those of `UnitModel`.
    """
    unit = UnitAddress.parse(address) if isinstance(address, str) else address
    count = find_layer(model, unit.layer).units
    if not 0 <= unit.unit < count:
        raise UsageError(
            f"expected a unit of {unit.layer} in {model.name} from 0 to {count - 1}, as it has {count}; got {unit.unit}"
        )
    units = UnitModel(model, unit.layer)
    return units, units.classes.index(str(unit))
