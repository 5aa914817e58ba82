"""The settings of LIME that a search tries, and how they are written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.attribution import SEGMENTERS as REGISTERED
from lumiscope.attribution import LimeOptions, check_segmenter
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.models import parse_model_options

SEGMENTERS = (
    "quickshift",
    "slic:n_segments=25",
    "slic:n_segments=50",
    "slic:n_segments=100",
    "felzenszwalb",
    "watershed",
    "grid",
)
SAMPLES = (100, 250, 500, 1000)
FEATURES = (1, 2, 3, 5, 8, 12, 20)
SEEDS = 3


@dataclass(frozen=True)
class CutChoice:
    """A segmenter with options of its own; `str()` writes it as `parse_segmenter` reads it."""

    name: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return ":".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


@dataclass(frozen=True)
class Setting:
    """One set of the options that are searched."""

    cut: CutChoice
    num_samples: int
    num_features: int

    def __str__(self) -> str:
        return f"{self.cut}, {self.num_samples} samples, {self.num_features} features"

    def over(self, base: LimeOptions) -> LimeOptions:
        """These options, the others from `base`."""
        return dataclasses.replace(
            base,
            segmenter=self.cut.name,
            segmenter_options=dict(self.cut.options),
            num_samples=self.num_samples,
            num_features=self.num_features,
        )


@dataclass(frozen=True)
class LimeSearch:
    """What to try: every segmenter with every number of samples and of features, each with several seeds.

    Errors: `UsageError` for an empty list or a number that is too small.
    """

    segmenters: Sequence[str] = SEGMENTERS
    samples: Sequence[int] = SAMPLES
    features: Sequence[int] = FEATURES
    seeds: int = SEEDS

    def __post_init__(self) -> None:
        for name, least in (("samples", 2), ("features", 1)):
            values = getattr(self, name)
            if not values or min(values) < least:
                raise UsageError(f"expected {name} to try, each at least {least}; got {list(values) or 'none'}")
        if not self.segmenters:
            raise UsageError("expected segmenters to try; got none")
        if self.seeds < 2:
            raise UsageError(f"expected at least 2 seeds, as stability is agreement between seeds; got {self.seeds}")
        for text in self.segmenters:
            parse_segmenter(text)

    def cuts(self, base: LimeOptions) -> list[CutChoice]:
        """The segmenters, with that of `base`, each once; nothing else is compared with what one has."""
        base_cut = CutChoice(base.segmenter, dict(base.segmenter_options))
        return list({str(cut): cut for cut in (*map(parse_segmenter, self.segmenters), base_cut)}.values())

    def numbers(self, base: LimeOptions) -> Iterator[tuple[int, int]]:
        """Every number of samples with every number of features, those of `base` among them."""
        for num_samples in sorted({*self.samples, base_setting(base).num_samples}):
            for num_features in sorted({*self.features, base.num_features}):
                yield num_samples, num_features


def base_setting(base: LimeOptions) -> Setting:
    """What `base` says of the options that are searched. Errors: `UsageError` where it leaves the samples open."""
    if base.num_samples == "auto":
        raise UsageError("expected a number of samples to compare with; got num_samples=auto. Give --samples to try.")
    return Setting(CutChoice(base.segmenter, dict(base.segmenter_options)), base.num_samples, base.num_features)


def parse_segmenter(text: str) -> CutChoice:
    """Read "grid" or "slic:n_segments=50:compactness=20". Errors: `UnknownNameError` with the nearest, `UsageError`."""
    name, *pairs = (part.strip() for part in text.split(":"))
    if name not in REGISTERED:
        raise UnknownNameError("segmenter to tune", name, REGISTERED)
    options = parse_model_options(pairs)
    check_segmenter(name, options)
    return CutChoice(name, options)
