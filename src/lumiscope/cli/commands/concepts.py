"""`lumiscope concepts`: words that units can be named with."""

from __future__ import annotations

from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_rows, say


@command("concepts", order=120)
def concepts(
    source: Annotated[
        str, typer.Argument(help="A text file with one concept a line, 'visual' or 'world' (shipped).")
    ] = "visual",
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    counts: Annotated[bool, typer.Option("--counts", help="Count the categories instead of listing words.")] = False,
    json: JSON = False,
) -> None:
    """List a concept set with the category of each word."""
    from lumiscope.concepts import CATEGORIES, load_concepts
    from lumiscope.errors import UnknownNameError

    if category is not None and category not in CATEGORIES:
        raise UnknownNameError("category", category, CATEGORIES)
    concept_set = load_concepts(source)
    for note in concept_set.notes:
        say(note)
    if counts:
        rows = [{"category": name, "concepts": count} for name, count in concept_set.counts().items()]
        print_rows(rows, ["category", "concepts"], as_json=json)
        say(f"{len(concept_set)} concepts, {concept_set.other_share:.1%} other")
        return
    pairs = zip(concept_set.words, concept_set.categories, strict=True)
    word_rows = [{"concept": word, "category": kind} for word, kind in pairs if category in (None, kind)]
    print_rows(word_rows, ["concept", "category"], as_json=json)
