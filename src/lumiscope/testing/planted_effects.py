"""What may be planted in a study, and which sentences of its report are true then.

The candidate at an end (the most focused method, the pair that agrees most) is ahead of each other by half of the
standard deviation between images: a medium effect.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

MODELS = ("a", "b")
TITLES = ("Grad-CAM", "Ablation-CAM", "Score-CAM", "LIME")
"""Of the methods of a planted study."""


@dataclass(frozen=True)
class Truth:
    """When a sentence is true. `names`: what it may name; None: anything. `model`: the one that it must be about."""

    names: frozenset[str] | None = None
    model: str | None = None

    def holds(self, sentence: str, shown: Collection[str]) -> bool:
        """Of a sentence that names the hypotheses that are `shown`."""
        about = self.model is None or sentence.startswith(f"{self.model}: ")
        return about and (self.names is None or self.names.issuperset(shown))


ANY = Truth()
EFFECTS: Mapping[str, Mapping[str, Truth]] = {
    "related": dict.fromkeys(
        ("agreement", "agreement_without_habit", "true_masks", "same_places", "beyond_baseline"), ANY
    ),
    "pair": {"most_agreement": Truth(frozenset({"Grad-CAM and Ablation-CAM"}))},
    "cover": {"best_cover": Truth(frozenset({"Grad-CAM"}))},
    "focused": dict.fromkeys(("focused", "sharpest"), Truth(frozenset({"Ablation-CAM"}))),
    "broadest": {"broadest": Truth(frozenset({"Score-CAM"}))},
    "sharpest": {"sharpest": Truth(frozenset({"LIME"}))},
    "faithful": {
        "most_faithful": Truth(frozenset({"Grad-CAM"})),
        "choice_for_reasons": Truth(frozenset({"ablationcam", "scorecam", "lime"})),
    },
    "placed": {
        "best_placed": Truth(frozenset({"Ablation-CAM"})),
        "choice_for_places": Truth(frozenset({"gradcam", "scorecam", "lime"})),
    },
    "complexity": {"agreement_and_complexity": ANY},
    "confidence": {"agreement_and_confidence": ANY},
    "mistakes": {"disagreement_and_mistakes": ANY},
    "models": {"model_extents": ANY},
    "training": {"beyond_random": ANY},
    "units": {"depth": Truth(model=MODELS[1]), "model_categories": ANY, "model_concepts": ANY},
}
"""Effect -> the findings that it makes true and large enough to be found, and what of them is true."""
BESIDES: Mapping[str, Mapping[str, Truth]] = {
    "pair": {"least_agreement": Truth(frozenset({"Score-CAM and LIME"}))},
    "sharpest": {"focused": Truth(frozenset({"LIME"}))},
}
"""What an effect makes true besides, though too little for 100 images."""
PAIRS = frozenset(" and ".join(pair) for pair in itertools.combinations(TITLES, 2))
EQUAL: Mapping[str, frozenset[str]] = {
    "pair": frozenset({"Grad-CAM and Ablation-CAM", "Score-CAM and LIME"}),
    "cover": frozenset(pair for pair in PAIRS if "Grad-CAM" not in pair),
}
"""Effect -> the pairs that it leaves within the margin of how far they overlap the true masks; others leave all."""


def true_findings(effects: Collection[str]) -> dict[str, Truth]:
    """The findings that are true of a study, and what of each."""
    true = {"as_good": Truth(PAIRS.intersection(*(EQUAL.get(effect, PAIRS) for effect in effects)))}
    for effect in effects:
        true |= {**BESIDES.get(effect, {}), **EFFECTS[effect]}
    return true
