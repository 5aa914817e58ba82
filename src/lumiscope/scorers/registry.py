"""Which scorers there are: each module next to this one registers its scheme by decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from lumiscope.discovery import import_siblings
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.scorers.concept_scores import Scorer
from lumiscope.scorers.prompts import check_prompts

Factory = TypeVar("Factory", bound=Callable[..., Scorer])


@dataclass(frozen=True)
class ScorerScheme:
    """A kind of scorer.

    `make`: the text after the colon (and, where it `takes_prompts`, a tuple of prompts or None) -> `Scorer`.
    `bare`: the scheme may stand alone; then the text is empty.
    """

    make: Callable[..., Scorer]
    bare: bool = False
    takes_prompts: bool = False


_SCHEMES: dict[str, ScorerScheme] = {}


def scorer_scheme(scheme: str, *, bare: bool = False, takes_prompts: bool = False) -> Callable[[Factory], Factory]:
    """Register the decorated function for specs `scheme:rest`; see `ScorerScheme`."""

    def register(factory: Factory) -> Factory:
        _SCHEMES[scheme] = ScorerScheme(factory, bare, takes_prompts)
        return factory

    return register


def scorer_schemes() -> Mapping[str, ScorerScheme]:
    """Every registered scheme, in alphabetical order."""
    import_siblings(__name__)
    return MappingProxyType(dict(sorted(_SCHEMES.items())))


def load_scorer(spec: str, *, prompts: Sequence[str] = ()) -> Scorer:
    """Return the scorer that `spec` names, such as "masks", "table:scores.npz" or "open_clip:ViT-B-16/openai".

    `prompts`: sentences with {} where the concept goes, for scorers that embed text; their vectors are averaged. None
    given: the scorer's own.

    Raises UsageError for a spec without a scheme, for prompts without {}, and for prompts where the scorer takes none,
    UnknownNameError for an unknown scheme, ScorerError if the scorer cannot be had.
    """
    name, colon, rest = spec.partition(":")
    schemes = scorer_schemes()
    found = schemes.get(name)
    if found is None and name:
        raise UnknownNameError("scorer", name, schemes)
    if found is None or (not rest and (colon or not found.bare)):
        alone = ", ".join(scheme for scheme, facts in schemes.items() if facts.bare)
        raise UsageError(
            f"a scorer is named by scheme:what, with a scheme of {', '.join(schemes)}, or by {alone} alone; "
            f"got {spec!r}"
        )
    arguments: dict[str, Any] = {}
    if prompts:
        if not found.takes_prompts:
            able = ", ".join(scheme for scheme, facts in schemes.items() if facts.takes_prompts)
            raise UsageError(f"{spec} takes no prompts (these do: {able}); leave the prompts out")
        arguments["prompts"] = check_prompts(prompts)
    return found.make(rest, **arguments)
