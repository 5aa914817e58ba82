"""Which scorers there are: each module next to this one registers its scheme by decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from lumiscope.discovery import import_siblings
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.scorers.concept_scores import Scorer

ScorerFactory: TypeAlias = Callable[[str], Scorer]

_SCHEMES: dict[str, ScorerFactory] = {}


def scorer_scheme(scheme: str) -> Callable[[ScorerFactory], ScorerFactory]:
    """Register the decorated function for specs `scheme:rest`; it gets `rest` and returns a `Scorer`."""

    def register(factory: ScorerFactory) -> ScorerFactory:
        _SCHEMES[scheme] = factory
        return factory

    return register


def scorer_schemes() -> Mapping[str, ScorerFactory]:
    """Every registered scheme, in alphabetical order."""
    import_siblings(__name__)
    return MappingProxyType(dict(sorted(_SCHEMES.items())))


def load_scorer(spec: str) -> Scorer:
    """Return the scorer that `spec` names, such as "table:scores.npz" or "open_clip:ViT-B-16/openai".

    Raises UsageError for a spec without a scheme, UnknownNameError for an unknown scheme, ScorerError if the scorer
    cannot be had.
    """
    scheme, colon, rest = spec.partition(":")
    schemes = scorer_schemes()
    if not colon or not rest:
        raise UsageError(f"a scorer is named by scheme:what, with a scheme of {', '.join(schemes)}; got {spec!r}")
    if scheme not in schemes:
        raise UnknownNameError("scorer", scheme, schemes)
    return schemes[scheme](rest)
