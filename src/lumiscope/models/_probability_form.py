"""The forms in which a network may write probabilities: as they are, negated, in percent, as logarithms or logits.

Why this is hard: where a score falls as the probability rises, the scores look like any logits, and the least likely
class comes first. So every form is undone, and what comes out is judged as probabilities are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from lumiscope.models._score_kind import PERCENT, ROUNDING, SAME_SUM, are_percentages, kind_of, whole_of
from lumiscope.models._twin import Forward, twin
from lumiscope.models.outputs import first_tensor
from lumiscope.models.vision_model import Activation

SUM_ROUNDING = 1e-5  # of what float32 makes of probabilities that add up to 1


@dataclass(frozen=True)
class ProbabilityForm:
    """A straight line through the scores makes numbers of which `activation` makes probabilities.

    Those numbers are the probabilities ("none"), their natural logarithms ("softmax") or their logits ("sigmoid").
    `step`: the last step of a network that writes them so, with {} for what makes the probabilities. `written`: what
    its scores are. `factor`, `offset`: of the line. `of_logarithms`: whether it goes through the natural logarithms of
    the scores. `sided`: whether of two classes the scores are z and -z, as any two logits may be.
    """

    step: str
    written: str
    factor: float = 1.0
    offset: float = 0.0
    activation: Activation = "none"
    of_logarithms: bool = False
    sided: bool = False

    @property
    def whole(self) -> float | None:
        """What probabilities that add up to 1 add up to in this form; None where it depends on them."""
        return None if self.activation != "none" or self.offset else 1 / self.factor

    @property
    def is_direct(self) -> bool:
        """Whether the scores are already what `activation` makes probabilities of."""
        return not self.of_logarithms and (self.factor, self.offset) == (1, 0)

    def note(self, said: Activation | None) -> str:
        """What is noted where no last step is found that makes the probabilities. `said`: by the user."""
        if self.whole is not None:
            asked = "" if said else "; logits: --activation softmax or sigmoid"
            return f"its scores add up to {self.whole:g} and are taken for probabilities, divided by that{asked}"
        explained = "" if self.is_direct else f"; methods explain {EXPLAINED[self.activation]}"
        asked = "; as they are: --activation none" if self == TAKEN_FROM_1 else ""
        return f"its scores are {self.written}{explained}{asked}"

    def line(self, scores: Any) -> Any:
        """What `activation` makes probabilities of: of a tensor or, where the network is traced, its proxy."""
        numbers = scores.log() if self.of_logarithms else scores
        numbers = numbers if self.factor == 1 else numbers * self.factor
        return numbers + self.offset if self.offset else numbers

    def probabilities(self, scores: torch.Tensor) -> torch.Tensor:
        """(N, classes) of (N, outputs) scores; a single probability p stands for 1 - p and p."""
        numbers: torch.Tensor = self.line(scores)
        if self.activation != "none":
            numbers = numbers.exp() if self.activation == "softmax" else numbers.sigmoid()
        return torch.cat([1 - numbers, numbers], dim=1) if numbers.shape[1] == 1 else numbers

    def undone(self, network: torch.nn.Module) -> torch.nn.Module:
        """`network` with the `line` through its scores in their place, also where it is traced."""
        if self.is_direct:
            return network

        def forward(run: Forward, inputs: torch.Tensor) -> Any:
            output = run(inputs)
            tensor: Any = output if isinstance(output, fx.Proxy) else first_tensor(output)
            return self.line(tensor.float())

        return twin(network, forward)


AS_THEY_ARE = ProbabilityForm("{}", "probabilities")
TAKEN_FROM_1 = ProbabilityForm("{} taken from 1", "probabilities taken from 1", -1, 1)
EXPLAINED: dict[Activation, str] = {
    "none": "the probabilities",
    "softmax": "their natural logarithms",
    "sigmoid": "their logits",
}
NATURAL_LOGARITHMS = ProbabilityForm("log {}", "logarithms of probabilities", activation="softmax")


def _logarithms(base: int) -> tuple[ProbabilityForm, ProbabilityForm]:
    written, factor = f"logarithms of probabilities to the base {base}", math.log(base)
    return (
        ProbabilityForm("log {}", written, factor, activation="softmax"),
        ProbabilityForm("negated log {}", f"negated {written}", -factor, activation="softmax"),
    )


FORMS = (
    ProbabilityForm("negated {}", "negated probabilities", -1),
    TAKEN_FROM_1,
    ProbabilityForm("{} stretched to [-1, 1]", "probabilities stretched to [-1, 1]", 0.5, 0.5, sided=True),
    NATURAL_LOGARITHMS,
    ProbabilityForm("negated log {}", "negated logarithms of probabilities", -1, activation="softmax"),
    *_logarithms(2),
    *_logarithms(10),
    ProbabilityForm("reciprocal {}", "reciprocals of probabilities", -1, activation="softmax", of_logarithms=True),
    ProbabilityForm("logit of a {}", "logits of probabilities", activation="sigmoid", sided=True),
    ProbabilityForm("negated logit of a {}", "negated logits of probabilities", -1, activation="sigmoid", sided=True),
    ProbabilityForm("ratio p / (1 - p) of a {}", "ratios p / (1 - p)", 1, 0, "sigmoid", of_logarithms=True, sided=True),
)


def sure_form(scores: torch.Tensor) -> ProbabilityForm | None:
    """The form in which (N, outputs) scores are probabilities that add up to 1, if they are of several classes.

    None, too, for probabilities as they are.
    """
    numbers = scores.detach().cpu().double()
    if numbers.shape[1] < 2 or kind_of(numbers.numpy()) == "shares":
        return None
    forms = [form for form in FORMS if numbers.shape[1] > 2 or not form.sided]
    return next((form for form in forms if _add_up(form.probabilities(numbers))), None) or _of_another_whole(numbers)


def possible_forms(scores: torch.Tensor) -> list[ProbabilityForm]:
    """The forms in which (N, outputs) scores are numbers in [0, 1]: as they are, then as they add up to 1, then all."""
    numbers = scores.detach().cpu().double()
    sure = sure_form(scores)
    forms = [AS_THEY_ARE, *([] if sure is None else [sure]), *FORMS]
    forms += [_times(sign * PERCENT) for sign in (1, -1) if are_percentages((sign * numbers).numpy())]
    return [form for form in dict.fromkeys(forms) if _are_within(form.probabilities(numbers))]


def _of_another_whole(numbers: torch.Tensor) -> ProbabilityForm | None:
    wholes = ((sign, whole_of((sign * numbers).numpy())) for sign in (1, -1))
    return next((_times(sign * whole) for sign, whole in wholes if whole is not None), None)


def _times(whole: float) -> ProbabilityForm:
    negated = "negated " if whole < 0 else ""
    return ProbabilityForm(f"{negated}{{}}", f"{negated}probabilities", 1 / whole)


def _are_within(probabilities: torch.Tensor) -> bool:
    return bool(((probabilities >= -ROUNDING) & (probabilities <= 1 + ROUNDING)).all())


def _add_up(probabilities: torch.Tensor) -> bool:
    """Whether rows add up to 1, more closely than they differ: those of a network that hardly differ may by chance."""
    if not _are_within(probabilities):
        return False
    differences = float((probabilities.amax(0) - probabilities.amin(0)).sum())
    return bool(((probabilities.sum(1) - 1).abs() <= SUM_ROUNDING + SAME_SUM * differences).all())
