"""What is said of a model of which weights were not loaded, and whether its classes are explained."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lumiscope.counts import first_few
from lumiscope.models._untrained_head import untrained_head, untrained_matrices
from lumiscope.models._untrained_trunk import untrained_trunk
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.weights import RANDOM_HEAD

LISTED = 3
HEAD = "the last layers with weights ({}) are not trained, so what it says of classes means nothing"
TRUNK = (
    "layers that its scores pass through ({}) are not trained: they and all behind them are as random, so what it says "
    "of classes means nothing"
)


def say_untrained(model: TorchModel, unloaded: Collection[str], *, wanted: bool) -> None:
    """Note what it means that `unloaded` weights are random; classes are not explained unless that is `wanted`."""
    if not unloaded:
        return
    head = untrained_head(model.layers, model.module.state_dict(), unloaded)
    if not head:
        parameters = {key: value for key, value in model.module.named_parameters() if value.requires_grad}
        head = untrained_matrices(model.layers, parameters, unloaded, model.differentiable_logits())
    trunk = untrained_trunk(model.layers, model.module.state_dict(), unloaded)
    said = [HEAD.format(", ".join(head))] * bool(head) + [TRUNK.format(_in_short(trunk))] * bool(trunk)
    model.notes = (*model.notes, *said)
    if said and not wanted:
        ways = f"Bring all of its weights{_ways(model, trunk)}"
        model.untrained = (
            f"{model.name} has no classes to explain: {'; '.join(said)}. {ways}, or say that random weights "
            f"are meant: --weights {RANDOM_HEAD}"
        )


def _ways(model: TorchModel, trunk: Sequence[str]) -> str:
    """What can be done with the layers that are trained, if there are such before the first that is not."""
    weighted = [layer.name for layer in model.layers if layer.weighted]
    if trunk and trunk[0] == weighted[0]:
        return ""
    inner = f"layers before {trunk[0]}" if trunk else "inner layers"
    return f", dissect its {inner} or explain their units (--unit LAYER:NUMBER)"


def _in_short(names: Sequence[str]) -> str:
    return first_few(names, LISTED, more=", … {} more")
