"""How the report was made: everything that somebody needs to make it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.report.numbers import date, duration
from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import TABLES, Manifest, MethodFacts


@dataclass(frozen=True)
class Provenance:
    """What is said beside the manifest itself. `facts`: (name, text). `methods`: with their options in words.

    `tables`: those that findings were computed from and no section shows, with what there is one row for.
    """

    facts: tuple[tuple[str, str], ...]
    methods: tuple[tuple[MethodFacts, str], ...]
    notes: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]


@section("provenance", title="How it was made", order=80)
def provenance(page: Page) -> Provenance:
    """The manifest in words."""
    manifest = page.run.manifest
    return Provenance(
        facts=tuple(_facts(manifest)),
        methods=tuple((method, _options(method)) for method in manifest.methods.values()),
        notes=tuple(_notes(manifest)),
        tables=tuple((name, TABLES[name].doc if name in TABLES else "") for name in page.unshown_tables),
    )


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    machine = manifest.machine
    yield "lumiscope", manifest.lumiscope
    yield "Seed", str(manifest.seed)
    yield "Started", date(manifest.started)
    yield "Finished", f"{date(manifest.finished)}, after {duration(manifest.seconds)}"
    yield (
        "Machine",
        f"{machine.processor}, {machine.cores} cores, {machine.threads} threads; {machine.system}; "
        f"Python {machine.python}",
    )
    for choice in manifest.backends:
        yield f"Run by ({choice.model})", f"{choice.backend}, {choice.precision} ({choice.why})"
    for title, source in (("Images", manifest.images), ("Probing images", manifest.probe)):
        if source is not None:
            yield title, f"{source.source} ({counted(source.count, 'image')})"
    if manifest.concepts is not None:
        yield "Concepts", f"{manifest.concepts.name} ({counted(manifest.concepts.count, 'concept')})"
        for title, name in (("Scorer", manifest.scorer), ("Similarity", manifest.similarity)):
            if name:
                yield title, name


def _notes(manifest: Manifest) -> Iterator[str]:
    sources = (("Images", manifest.images), ("Probing images", manifest.probe), ("Concepts", manifest.concepts))
    for title, source in sources:
        for note in () if source is None else source.notes:
            yield f"{title}: {note}"


def _options(method: MethodFacts) -> str:
    options = ", ".join(
        f"{option} = {value if isinstance(value, str) else json.dumps(value)}"
        for option, value in method.options.items()
    )
    if method.own_options:
        options += f"; {counted(method.own_options, 'image')} with options of their own"
    return options or "none"
