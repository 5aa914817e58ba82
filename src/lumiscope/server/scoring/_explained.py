"""What a hand-in says of each image: the mask that is scored, the map that is judged, and what both cost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.agreement import FALLBACK_RULE, make_mask
from lumiscope.attribution import METHODS
from lumiscope.errors import LumiscopeError
from lumiscope.models import TorchModel, VisionModel, class_index
from lumiscope.server.challenges import Challenge, ChallengeImage
from lumiscope.server.hand_ins import Fault, HandIn, HandInRefused
from lumiscope.server.scoring._passes import Passes, TooManyPassesError
from lumiscope.study import ExplainConfig, ExplanationPlan
from lumiscope.types import BoolArray, DoubleArray, SaliencyMap, Target

NO_METHOD = Target(0, "", 0.0, 0.0)
UNFIT = (LumiscopeError, ArithmeticError, ValueError, MemoryError)  # what parameters that nobody can follow end in


@dataclass(frozen=True, eq=False)
class Explained:
    """Of one image, on the view: `mask`, (h, w) bool; `map`, (h, w) float64, None where only a mask came. `passes`:
    None where nobody knows. `reason`: why the mask is empty, or what is doubtful."""

    mask: BoolArray
    map: DoubleArray | None
    passes: int | None
    seconds_cpu: float
    reason: str = ""


class Explainer:
    """Makes what a hand-in says; its plans, one a method, are made once."""

    def __init__(self, challenge: Challenge, hand_in: HandIn, model: VisionModel) -> None:
        self._challenge, self._hand_in, self._model = challenge, hand_in, model
        self._plans: dict[str, ExplanationPlan] = {}

    def explained(self, image: ChallengeImage) -> Explained:
        """Errors: `HandInRefused` for parameters that turn out not to work."""
        if self._hand_in.kind == "masks":
            return Explained(self._hand_in.masks[image.name], None, None, 0.0)
        if self._hand_in.kind == "maps":
            return _of_map(image.name, self._hand_in.maps[image.name])
        ((method, options),) = self._hand_in.parameters[image.name].items()
        return self._by_method(image, method, options)

    def _by_method(self, image: ChallengeImage, name: str, given: Any) -> Explained:
        plan, method = self._plan(name), METHODS[name]
        passes = Passes(self._challenge.limits.passes)
        start = time.process_time()
        prepared = plan.prepare_views([self._model.view(image.item)], passes)
        label = None if image.target is None else class_index(self._model, image.target)
        targets = prepared.targets("label", [label])
        try:
            (saliency,) = method.explain(prepared, targets, method.options(given))
            mask = make_mask(saliency, plan.mask_rules[name])
        except TooManyPassesError as error:
            raise _refused(
                image, name, f"at most {passes.most:,} pictures through the network", f"{error.asked:,}"
            ) from error
        except UNFIT as error:
            raise _refused(
                image, name, "parameters that can be followed", str(error) or type(error).__name__
            ) from error
        seconds = time.process_time() - start
        reason = saliency.details.get("undefined") or saliency.details.get("blank") or ""
        return Explained(mask, saliency.values.astype(np.float64), passes.count, seconds, reason)

    def _plan(self, name: str) -> ExplanationPlan:
        """How the model is explained by a method: by torch in float32, which gives the same wherever it runs."""
        if name not in self._plans:
            self._plans[name] = ExplanationPlan.make(
                self._model,
                ExplainConfig(methods=[name], target="label", backend="eager"),
                layer=self._challenge.model.target_layer if isinstance(self._model, TorchModel) else None,
                seed=self._challenge.seed,
            )
        return self._plans[name]


def _of_map(name: str, values: DoubleArray) -> Explained:
    saliency = SaliencyMap(name, "", NO_METHOD, np.asarray(values, np.float32))
    mask = make_mask(saliency, FALLBACK_RULE)
    return Explained(mask, values, None, 0.0, "" if mask.any() else "nothing in the map is above 0")


def _refused(image: ChallengeImage, method: str, expected: str, came: str) -> HandInRefused:
    return HandInRefused((Fault(f"{image.name}: {method}", expected, came),))
