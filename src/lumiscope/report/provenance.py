"""What was skipped, and how the report was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.report.numbers import counted, date, duration
from lumiscope.report.pairs import method_titles

if TYPE_CHECKING:
    from lumiscope.study import Run


@dataclass(frozen=True)
class Left:
    """Something that is not in the results. `what`: its kind, such as "image". `reason`: why."""

    what: str
    name: str
    reason: str


@dataclass(frozen=True)
class Method:
    """How an explanation method was used."""

    title: str
    name: str
    citation: str
    passes: str
    options: str
    mask_rule: str


@dataclass(frozen=True)
class Timing:
    """Mean seconds that a map took when it was computed, and how many were computed in this run."""

    model: str
    method: str
    images: int
    computed: int
    seconds_each: float | None

    @property
    def stored(self) -> int:
        """How many maps came from the store."""
        return self.images - self.computed


@dataclass(frozen=True)
class Provenance:
    """View data of "How it was made". `facts`: (name, text), in order."""

    command: str | None
    facts: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    methods: tuple[Method, ...]
    timings: tuple[Timing, ...]
    concepts: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


def skipped_of(run: Run) -> tuple[Left, ...]:
    """What was skipped, then the explanations that came out undefined."""
    titles = method_titles(run.manifest)
    left = [Left(row["what"], row["name"], row["reason"]) for row in run.table("skipped").to_pylist()]
    for row in run.table("explanations").to_pylist():
        if row["undefined"]:
            name = f"{titles.get(row['method'], row['method'])} of {row['image']} in {row['model']}"
            left.append(Left("undefined explanation", name, row["undefined"]))
    return tuple(left)


def provenance_of(run: Run) -> Provenance:
    """Build the section from the manifest."""
    manifest = run.manifest
    titles = method_titles(manifest)
    concepts = manifest.get("concepts") or {}
    return Provenance(
        command=manifest.get("command"),
        facts=tuple(_facts(manifest)),
        versions=tuple((manifest.get("versions") or {}).items()),
        methods=tuple(_method(name, method, run.mask_rules) for name, method in manifest.get("methods", {}).items()),
        timings=tuple(
            Timing(
                row["model"],
                titles.get(row["method"], row["method"]),
                row["images"],
                row["computed"],
                row["seconds_each"],
            )
            for row in manifest.get("timings") or ()
        ),
        concepts=tuple((concepts.get("categories") or {}).items()),
        notes=tuple(_notes(manifest)),
    )


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    machine = manifest.get("machine") or {}
    facts = [
        ("lumiscope", str(manifest.get("lumiscope"))),
        ("Seed", str(manifest.get("seed"))),
        ("Started", date(manifest.get("started"))),
        ("Finished", f"{date(manifest.get('finished'))}, after {duration(manifest.get('seconds'))}"),
        (
            "Machine",
            f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('threads')} threads; "
            f"{machine.get('system')}; Python {machine.get('python')}",
        ),
    ]
    for choice in manifest.get("backends") or ():
        way = f"{choice['backend']}, {choice['precision']} ({choice['why']})"
        facts.append((f"Run by ({choice['model']})", way))
    for title, key in (("Images", "images"), ("Probing images", "probe")):
        if source := manifest.get(key):
            facts.append((title, f"{source['source']} ({counted(source['count'], 'image')})"))
    if concepts := manifest.get("concepts"):
        facts.append(("Concepts", f"{concepts['name']} ({counted(concepts['count'], 'concept')})"))
    for title, key in (("Scorer", "scorer"), ("Similarity", "similarity")):
        if manifest.get("concepts") and manifest.get(key):
            facts.append((title, str(manifest[key])))
    return facts


def _notes(manifest: Mapping[str, Any]) -> Iterator[str]:
    for title, key in (("Images", "images"), ("Probing images", "probe"), ("Concepts", "concepts")):
        for note in (manifest.get(key) or {}).get("notes", ()):
            yield f"{title}: {note}"


def _method(name: str, method: Mapping[str, Any], mask_rules: Mapping[str, str]) -> Method:
    options = ", ".join(
        f"{option} = {value if isinstance(value, str) else json.dumps(value)}"
        for option, value in method["options"].items()
    )
    if own := method.get("own_options"):
        options += f"; {counted(own, 'image')} with options of their own"
    rule = mask_rules.get(name, method["mask_rule"])
    return Method(method["title"], name, method["citation"], method["passes"], options or "none", rule)
