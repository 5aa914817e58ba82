"""Concepts by name: as a user writes them, with wildcards."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from lumiscope.errors import UnknownNameError

WILDCARDS = frozenset("*?[")


def is_pattern(name: str) -> bool:
    """Whether a name has wildcards in it."""
    return bool(WILDCARDS & set(name))


def names_concept(name: str, concept: str) -> bool:
    """Whether `name`, wildcards allowed, means `concept`: the whole of it, or one of its synonyms between commas.

    Letter case and outer white space do not matter, and an underscore is a space.
    """
    wanted = _plain(name)
    return any(fnmatch.fnmatchcase(form, wanted) for form in _forms(concept))


def is_concept(name: str, concept: str) -> bool:
    """Like `names_concept`, where nothing in `name` is a wildcard."""
    return _plain(name) in _forms(concept)


def find_concepts(names: Iterable[str], concepts: Iterable[str]) -> list[str]:
    """Those of `concepts` that a name means, each once, in their order. Errors: `UnknownNameError`."""
    known = list(dict.fromkeys(concepts))
    wanted: set[str] = set()
    for name in names:
        matching = [concept for concept in known if names_concept(name, concept)]
        if not matching:
            raise UnknownNameError("concept", name, known)
        wanted.update(matching)
    return [concept for concept in known if concept in wanted]


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


def _forms(concept: str) -> set[str]:
    return {_plain(concept), *(_plain(synonym) for synonym in concept.split(","))}
