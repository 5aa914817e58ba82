"""The table `dissect` of a study: what units are named with, and what a label must pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from lumiscope.study.config.reading import split_list
from lumiscope.study.config.setting import FORBID_UNKNOWN, setting

AUTO = "auto"
DEFAULT_LAYERS = ("auto:5",)


@dataclass(frozen=True, kw_only=True)
class DissectConfig:
    """How units are named. `probe`: images to dissect with; None: no dissection.

    `prompts`: sentences with {} where a concept goes, for scorers that embed text; none: the scorer's own. `fdr`: the
    share of units with a label that may be related to no concept at all; `min_stability`: how often a label must win
    when the probing images are drawn again. `annotations`: a folder that says what is at each pixel of the probing
    images; None: the scorer's, or what the world knows of its own.
    """

    __pydantic_config__ = FORBID_UNKNOWN

    probe: str | None = setting(help="Images to dissect with: a folder, a 'glob*', a CSV or world:COUNT.")
    layers: Sequence[str] = setting(
        DEFAULT_LAYERS,
        metavar="TEXT",
        read=split_list,
        help="Layers to dissect: names, wildcards, auto (before the pooling) or auto:5 (default).",
    )
    scorer: str | None = setting(
        help="What says which concepts are in a probing image: {scorers and what they are}.",
    )
    concepts: str | None = setting(
        help="Concepts: a text file, 'visual' or 'world' (shipped). Default: the scorer's own words."
    )
    prompts: Sequence[str] = setting(
        (),
        flag="--prompt",
        metavar="TEXT",
        repeatable=True,
        help="So 'a photo of a {}'; several are averaged. Repeatable.",
    )
    similarity: str = setting(
        AUTO,
        help="auto (default: what suits the scores), {similarities}.",
    )
    pooling: Literal["mean", "max"] = setting(
        "mean", metavar="mean|max", help="One number of a unit's map. Default: mean."
    )
    fdr: Annotated[float, Gt(0), Le(1)] = setting(
        0.05,
        help="The share of units with a label that may be related to no concept; 1 labels every unit. Default: 0.05.",
    )
    min_stability: Annotated[float, Ge(0), Le(1)] = setting(
        0.5,
        help="How often a label must come first when the probing images are drawn again, 0 to 1. Default: 0.5.",
    )
    annotations: str | None = setting(
        help="A folder that says what is at each pixel of the probing images: Network Dissection."
    )

    @property
    def scorer_spec(self) -> str | None:
        """The scorer; a bare `masks` means these annotations, where some are named."""
        return f"masks:{self.annotations}" if self.scorer == "masks" and self.annotations else self.scorer
