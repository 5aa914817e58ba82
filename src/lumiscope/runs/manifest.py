"""How a run was made, as its manifest.json says it: written last, so a run folder without one has not finished."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumiscope.errors import StoreError
from lumiscope.files import MOST_FACTS, parse_json, read_text, reason_of, write_atomically

FORMAT = 2  # of tables and manifest; 1 is lumiscope 0.1's, which did not say it
DIGEST = "sha256"  # the fact under which the digest of all others stands


class _Facts(BaseModel):
    """Facts that are written once; unknown ones are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Machine(_Facts):
    """Where a run was made. `threads`: of torch."""

    system: str
    python: str
    processor: str
    cores: int
    threads: int


class MethodFacts(_Facts):
    """How one method was used. `own_options`: how many images have options of their own."""

    title: str
    citation: str
    passes: str
    backend: str
    options: dict[str, Any]
    own_options: int
    mask_rule: str


class Timing(_Facts):
    """What maps took when they were computed. `computed`: how many of `images` in this run.

    `seconds_each`: mean seconds an image; None where nothing says it.
    """

    model: str
    method: str
    images: int
    computed: int
    seconds_each: float | None

    @property
    def stored(self) -> int:
        """How many came from the store."""
        return self.images - self.computed


class BackendChoice(_Facts):
    """What ran a model, and why; see `lumiscope.models.Choice`."""

    model: str
    asked: str
    backend: str
    precision: str
    numbers: str
    error: float
    why: str


class Source(_Facts):
    """Images as the user named them. `notes`: what a reader must know of them."""

    source: str
    count: int
    notes: tuple[str, ...] = ()


class ConceptFacts(_Facts):
    """The words that units could be named with. `categories`: how many words each has."""

    name: str
    count: int
    other_share: float
    notes: tuple[str, ...] = ()
    categories: dict[str, int]


class Manifest(_Facts):
    """Everything that a reader must know of a run besides its tables.

    `lumiscope`: its version. `command`: how to make the run again; None where Python did. `started`, `finished`: ISO
    8601. What a study has no part for is None or empty. `similarity_notes`: what the labels do not tell by themselves.
    `image_options`: notes on the file with options of single images. `tables`: sha256 of each table's file.
    `repaired`: damaged shards of the store that were computed again. `skipped`: how many images and masks are left out.
    """

    format: int = FORMAT
    name: str
    description: str | None = None
    lumiscope: str
    command: str | None = None
    started: str
    finished: str
    seconds: float
    seed: int
    target: str | int
    machine: Machine
    versions: dict[str, str]
    images: Source | None = None
    probe: Source | None = None
    methods: dict[str, MethodFacts] = Field(default_factory=dict)
    backends: tuple[BackendChoice, ...] = ()
    timings: tuple[Timing, ...] = ()
    image_options: tuple[str, ...] = ()
    tables: dict[str, str] = Field(default_factory=dict)
    scorer: str | None = None
    similarity: str | None = None
    similarity_notes: tuple[str, ...] = ()
    pooling: str | None = None
    fdr: float | None = None
    min_stability: float | None = None
    concepts: ConceptFacts | None = None
    skipped: int = 0
    repaired: tuple[str, ...] = ()

    @property
    def mask_rules(self) -> dict[str, str]:
        """Per method, the rule that made its masks."""
        return {name: method.mask_rule for name, method in self.methods.items()}

    @property
    def titles(self) -> dict[str, str]:
        """Per method, the title that readers know it by."""
        return {name: method.title for name, method in self.methods.items()}

    def write(self, path: Path) -> None:
        """Write it as JSON, with the digest of its facts."""
        facts = self.model_dump(mode="json")
        content = json.dumps({**facts, DIGEST: _digest_of(facts)}, indent=1, ensure_ascii=False)
        write_atomically(path, content.encode())


def read_manifest(path: Path, again: str) -> Manifest:
    """Read a manifest. `again`: the command that makes the run again.

    Errors: `StoreError` where it is damaged, where its facts are not those that the run wrote (a run that an earlier
    version made has no digest of them), or where its tables have another format than this lumiscope reads.
    """
    try:
        content = parse_json(read_text(path, MOST_FACTS))
        if not isinstance(content, Mapping):
            raise TypeError(f"it holds {type(content).__name__}")
        table_format = content.get("format", 1)
        if table_format != FORMAT:
            age = "an older" if table_format == 1 else "another"
            raise StoreError(
                f"the tables of the run {path.parent} have {age} format: {table_format}, where this lumiscope reads "
                f"{FORMAT}. Run it again: {again}"
            )
        facts = {name: fact for name, fact in content.items() if name != DIGEST}
        if content.get(DIGEST) not in (None, _digest_of(facts)):
            raise ValueError("its facts are not those that the run wrote")
        return Manifest.model_validate(facts)
    except (OSError, ValueError, TypeError, RecursionError, ValidationError) as error:
        raise StoreError(f"{path} is damaged: {reason_of(error)}. Run it again: {again}") from error


def _digest_of(facts: Mapping[str, Any]) -> str:
    """Sha256 (hex) of facts as JSON, whatever their order and the white space between them."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
