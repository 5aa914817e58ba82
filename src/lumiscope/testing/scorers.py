"""What every scorer must do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from lumiscope.concepts import ConceptSet
from lumiscope.errors import LumiscopeError, UsageError
from lumiscope.images import ImageSet, open_images
from lumiscope.scorers import SCORERS, Scorer, ScorerScheme, load_scorer
from lumiscope.specs import change_paths
from lumiscope.testing._expect import expect, expect_close, expect_refusal
from lumiscope.testing._untouched import generators_kept

ROUNDING = 1e-4  # vectors made in batches of another size
STRANGE = "wordless"
ANY_WORDS = ("fish", "red", "boat", "sky")


@dataclass(frozen=True)
class ScorerCase:
    """A scorer that is checked. `other_spec`: of one whose scores are others, if there is any."""

    spec: str
    images: ImageSet
    words: tuple[str, ...]
    other_spec: str | None

    @property
    def scheme(self) -> ScorerScheme:
        """What is registered for its specs."""
        return SCORERS[self.spec.partition(":")[0]]

    def load(self) -> Scorer:
        """The scorer, made anew."""
        return load_scorer(self.spec)

    def score(self, images: ImageSet, words: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """(D, K) scores, by a scorer made anew."""
        return self.load().score(images, ConceptSet.of(words)).values


def says_what_it_is(case: ScorerCase) -> None:
    """A form and a title for help texts; the scorer is called as its spec, and its words are unique."""
    name = case.spec.partition(":")[0]
    expect(case.scheme.title, f"expected the scorer {name} to have a title")
    expect(re.match(rf"{name}\b", case.scheme.form), f"expected a form that begins with {name}; got {case.scheme.form}")
    scorer = case.load()
    expect(scorer.name == case.spec, f"expected the scorer to be called {case.spec}; got {scorer.name}")
    words, categories = scorer.words, scorer.categories
    expect(words is None or len(set(words)) == len(words), f"expected each word of {case.spec} once")
    if categories is not None:
        expect(words is not None and len(categories) == len(words), f"expected a category for each word of {case.spec}")


def scores_every_image_on_every_concept(case: ScorerCase) -> None:
    """(D, K) finite float32, in the order of both, the same again; no image's scores depend on the others."""
    with generators_kept(case.spec):
        values = case.score(case.images, case.words)
    shape = (len(case.images), len(case.words))
    expect(
        values.shape == shape and values.dtype == np.float32,
        f"expected {shape} float32 scores of {case.spec}; got {values.dtype} of shape {values.shape}",
    )
    expect(np.isfinite(values).all(), f"expected finite scores of {case.spec}")
    again = case.score(case.images, case.words)
    expect(np.array_equal(again, values), f"expected the same scores of {case.spec} again")
    backwards = case.score(replace(case.images, items=case.images.items[::-1]), case.words[::-1])
    what = f"scores of {case.spec} with images and concepts in the opposite order"
    expect_close(backwards[::-1, ::-1], values, ROUNDING, what)
    alone = case.score(case.images[:1], case.words)
    expect_close(alone, values[:1], ROUNDING, f"scores of {case.spec} for the first image alone")


def has_keys_that_tell_what_scores_depend_on(case: ScorerCase) -> None:
    """The fingerprint is the same for the same spec and another for other scores; images with one key score alike."""
    scorer, again = case.load(), case.load()
    fingerprint = scorer.fingerprint
    expect(re.fullmatch(r"[0-9a-f]{64}", fingerprint), f"expected a hex SHA-256 of {case.spec}; got {fingerprint!r}")
    expect(fingerprint == again.fingerprint, f"expected {case.spec} to have the same fingerprint every time")
    if case.other_spec is not None:
        other = load_scorer(case.other_spec).fingerprint
        expect(other != fingerprint, f"expected {case.spec} and {case.other_spec} to have different fingerprints")
    keys = [scorer.image_key(item) for item in case.images]
    same_keys = keys == [again.image_key(item) for item in case.images]
    expect(same_keys, f"expected {case.spec} to give an image the same key every time")
    values = case.score(case.images, case.words)
    rows: dict[str, int] = {}
    for row, key in enumerate(keys):
        alike = np.array_equal(values[rows.setdefault(key, row)], values[row])
        expect(alike, f"expected images with the same key to have the same scores of {case.spec}")


def refuses_what_it_cannot_do(case: ScorerCase) -> None:
    """Words that it does not know, a spec that names nothing, and prompts where it takes none."""
    scheme, scorer = case.spec.partition(":")[0], case.load()
    scorer.check(case.images, ConceptSet.of(case.words))
    if scorer.words is not None:
        concepts = ConceptSet.of([*case.words, STRANGE])
        for ask in (scorer.check, scorer.score):
            message = expect_refusal(partial(ask, case.images, concepts), LumiscopeError, f"a word that {scheme} lacks")
            expect(STRANGE in message, f"expected the refusal to name {STRANGE!r}; got: {message}")
    nothing = f"{scheme}:./no/such/thing"
    expect_refusal(partial(load_scorer, nothing), LumiscopeError, f"the spec {nothing}")
    if case.scheme.takes_prompts:
        prompted = load_scorer(case.spec, prompts=["a photo of the {}"])
        expect(prompted.fingerprint != scorer.fingerprint, f"expected prompts to change the fingerprint of {case.spec}")
        what = f"a prompt without {{}} for {case.spec}"
        expect_refusal(partial(load_scorer, case.spec, prompts=["a photo"]), UsageError, what)
    else:
        what = f"a prompt for {case.spec}"
        expect_refusal(partial(load_scorer, case.spec, prompts=["a photo of the {}"]), UsageError, what)


def knows_its_paths(case: ScorerCase) -> None:
    """What it says to be a path is a part of the spec, and nothing else of the spec is changed with it."""
    marked = change_paths(case.spec, SCORERS, lambda path: f"<{path}>")
    unmarked = marked.replace("<", "").replace(">", "")
    expect(unmarked == case.spec, f"expected paths to be parts of {case.spec}; got {marked}")


SCORER_CHECKS: tuple[Callable[[ScorerCase], None], ...] = (
    says_what_it_is,
    scores_every_image_on_every_concept,
    has_keys_that_tell_what_scores_depend_on,
    refuses_what_it_cannot_do,
    knows_its_paths,
)
"""What `check_scorer` checks, one thing each."""


def scorer_case(
    spec: str,
    *,
    images: ImageSet | None = None,
    words: Sequence[str] | None = None,
    other_spec: str | None = None,
) -> ScorerCase:
    """What the checks of a scorer get; see `check_scorer`."""
    chosen = tuple(words or (load_scorer(spec).words or ANY_WORDS)[:4])
    return ScorerCase(spec, images or open_images("world:5"), chosen, other_spec)


def check_scorer(
    spec: str,
    *,
    images: ImageSet | None = None,
    words: Sequence[str] | None = None,
    other_spec: str | None = None,
) -> None:
    """Check that the scorer that `spec` names does all that lumiscope and its users rely on.

    `images`: at least two that it can score; None: five pictures of the built-in world. `words`: concepts that it can
    score; None: four of its own, or plain ones. `other_spec`: of a scorer of the same kind that gives other scores.

    Raises AssertionError with a sentence that says what was expected and what came, and whatever `load_scorer` raises.
    """
    case = scorer_case(spec, images=images, words=words, other_spec=other_spec)
    for check in SCORER_CHECKS:
        check(case)
