"""The table `run` of a study: what holds for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from lumiscope.study.config.reading import split_list
from lumiscope.study.config.setting import FORBID_UNKNOWN, setting


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What holds for all of a study, and where its results lie."""

    __pydantic_config__ = FORBID_UNKNOWN

    name: str | None = setting(help="Name of the run folder. Default: made from the study.")
    description: str | None = setting(help="A few sentences for the head of the report.")
    runs: str = setting("runs", help="Folder of run folders and of the store: what is in it is not computed again.")
    seed: Annotated[int, Ge(0)] = setting(0, help="All random choices derive from it. Default: 0.")
    repeats: Annotated[int, Ge(0)] = setting(
        1,
        help="Further seeds that random methods, such as LIME, are tried with on the first 10 images, to see how far "
        "they agree with themselves. Default: 1.",
    )
    trust: bool = setting(
        False,
        help="Judge the explanations, too: faithfulness, localisation where there are true masks, randomisation; "
        "beside maps that know nothing.",
    )
    metrics: Sequence[str] | None = setting(
        read=split_list,
        metavar="TEXT",
        help="Trust metrics with commas, wildcards allowed; lumiscope methods --metrics lists them. Default: some.",
    )
    on_error: Literal["skip", "stop"] = setting(
        "skip", metavar="skip|stop", help="What a bad image does. Default: skip (exit code 3)."
    )
