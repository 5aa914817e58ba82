"""Which scorers there are: each module next to this one registers its scheme by decorator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lumiscope.errors import ScorerError, UsageError
from lumiscope.registry import Registry
from lumiscope.requirement import Requirement
from lumiscope.scorers.concept_scores import Scorer
from lumiscope.scorers.prompts import check_prompts
from lumiscope.specs import Paths, no_path

Factory = TypeVar("Factory", bound=Callable[..., Scorer])


@dataclass(frozen=True)
class ScorerScheme:
    """A kind of scorer.

    `form`: how its specs look. `title`: what gives the scores. `make`: the text after the colon (and, where it
    `takes_prompts`, a tuple of prompts or None) -> `Scorer`. `bare`: the scheme may stand alone; then the text is
    empty. `paths`: which parts of that text are paths. `requires`: a package that not every installation has.
    """

    form: str
    title: str
    make: Callable[..., Scorer]
    bare: bool = False
    takes_prompts: bool = False
    paths: Paths = no_path
    requires: Requirement | None = None


SCORERS: Registry[ScorerScheme] = Registry("scorer", package="lumiscope.scorers", group="lumiscope.scorers")
"""Every kind of scorer by the scheme that its specs begin with."""


def scorer_scheme(
    scheme: str,
    *,
    form: str,
    title: str,
    bare: bool = False,
    takes_prompts: bool = False,
    paths: Paths = no_path,
    requires: Requirement | None = None,
) -> Callable[[Factory], Factory]:
    """Register the decorated function for specs `scheme:rest`; see `ScorerScheme`."""

    def register(factory: Factory) -> Factory:
        entry = ScorerScheme(form, title, factory, bare, takes_prompts, paths, requires)
        SCORERS.register(scheme, entry, defined_by=factory)
        return factory

    return register


def load_scorer(spec: str, *, prompts: Sequence[str] = ()) -> Scorer:
    """Return the scorer that `spec` names, such as "masks", "table:scores.npz" or "open_clip:ViT-B-16/openai".

    `prompts`: sentences with {} where the concept goes, for scorers that embed text; their vectors are averaged. None
    given: the scorer's own.

    Raises UsageError for a spec without a scheme, for prompts without {}, and for prompts where the scorer takes none,
    UnknownNameError for an unknown scheme, ScorerError if the scorer cannot be had.
    """
    name, colon, rest = spec.partition(":")
    if name:
        SCORERS.check(name)
    scheme = SCORERS.get(name)
    if scheme is None or (not rest and (colon or not scheme.bare)):
        alone = ", ".join(known for known, facts in SCORERS.items() if facts.bare)
        raise UsageError(
            f"a scorer is named by scheme:what, with a scheme of {', '.join(SCORERS)}, or by {alone} alone; "
            f"got {spec!r}"
        )
    arguments: dict[str, Any] = {}
    if prompts:
        if not scheme.takes_prompts:
            able = ", ".join(known for known, facts in SCORERS.items() if facts.takes_prompts)
            raise UsageError(f"{spec} takes no prompts (these do: {able}); leave the prompts out")
        arguments["prompts"] = check_prompts(prompts)
    if scheme.requires is not None and scheme.requires.missing:
        raise ScorerError(f"the scorer {scheme.form} needs {scheme.requires}")
    return scheme.make(rest, **arguments)
