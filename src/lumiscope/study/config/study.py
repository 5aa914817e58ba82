"""A study: which models, what to explain and to dissect, and where the results lie."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lumiscope.errors import UsageError
from lumiscope.study.config.dissect_config import DissectConfig
from lumiscope.study.config.explain_config import ExplainConfig
from lumiscope.study.config.model_config import ModelConfig
from lumiscope.study.config.run_config import RunConfig

TABLES: Mapping[str, type] = {"run": RunConfig, "explain": ExplainConfig, "dissect": DissectConfig}
NAME = r"[\w][\w. -]*"


def table_of_field(name: str) -> str | None:
    """The table of a study that has a field of this name; no two have. None where none has."""
    return next(
        (table for table, kind in TABLES.items() if name in {field.name for field in dataclasses.fields(kind)}), None
    )


class Study(BaseModel):
    """What to explain and to label, by which models and how: four tables, as a study file has them.

    A field of `run`, `explain` or `dissect` may also be given outside its table: `Study(images="photos/", models=[…])`.
    Unknown fields are errors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[ModelConfig, ...] = Field(min_length=1)
    run: RunConfig = RunConfig()
    explain: ExplainConfig = ExplainConfig()
    dissect: DissectConfig = DissectConfig()

    @model_validator(mode="before")
    @classmethod
    def _fields_in_tables(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        sorted_content = in_tables(content)
        models = sorted_content.get("models")
        for model in models if isinstance(models, Sequence) else ():
            _refuse_switches(ModelConfig, model)
        for name, kind in TABLES.items():
            _refuse_switches(kind, sorted_content.get(name))
        return sorted_content

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: tuple[ModelConfig, ...]) -> tuple[ModelConfig, ...]:
        given = [model.name for model in models if model.name]
        twice = {name for name in given if given.count(name) > 1}
        if twice:
            raise ValueError(f"two models are called {', '.join(sorted(twice))}; give each its own name")
        return models

    @field_validator("run")
    @classmethod
    def _name_is_a_folder(cls, run: RunConfig) -> RunConfig:
        if run.name is not None and not re.fullmatch(NAME, run.name):
            raise ValueError(f"expected a name of letters, digits, spaces and . _ -; got {run.name!r}")
        return run

    @property
    def run_name(self) -> str:
        """The name of the run folder: as given, else made from what the study is, so that it is found again."""
        if self.run.name:
            return self.run.name
        facts = self.model_copy(
            update={"run": dataclasses.replace(self.run, name=None, description=None, runs="")}
        ).model_dump_json()
        source = Path(self.explain.images or self.dissect.probe or "study")
        words = [source.parent.name if source.suffix == ".csv" else source.stem, *self.model_names]
        readable = "-".join(re.sub(r"[^\w]+", "_", word).strip("_") for word in words if word)[:60]
        return f"{readable}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.run.runs) / self.run_name

    @property
    def model_names(self) -> list[str]:
        """A name for each model, no two alike: as given, else the short name of its spec, else longer ones."""
        from lumiscope.models import default_name

        names: list[str] = []
        for model in self.models:
            short = model.name or default_name(model.spec)
            longer = [short, re.sub(r"[:/@]+", "-", model.spec.partition(":")[2])]
            numbered = (f"{short}-{number}" for number in range(2, len(self.models) + 2))
            names.append(next(name for name in (*longer, *numbered) if name not in names))
        return names

    def check(self) -> None:
        """Raise `UsageError` where the parts do not go together."""
        probe, scorer = self.dissect.probe, self.dissect.scorer
        if self.explain.images is None and probe is None:
            raise UsageError(
                "expected images to explain (--images FOLDER, GLOB, CSV or world:COUNT) or images to dissect with "
                "(--probe), or both"
            )
        if probe is not None and scorer is None:
            raise UsageError(
                "expected a scorer to go with --probe: it says which concepts are in the probing images. "
                "Give --scorer open_clip:ARCH/PRETRAINED, table:FILE or, for the built-in world, world:clip."
            )
        if scorer is not None and probe is None:
            raise UsageError("expected probing images (--probe FOLDER, GLOB, CSV or world:COUNT) to go with --scorer")


def _refuse_switches(kind: type, content: object) -> None:
    """Raise `ValueError` where a table says true or false of a field that is no switch: Python takes it for 1 or 0."""
    if not isinstance(content, Mapping):
        return
    for field in dataclasses.fields(kind):
        value = content.get(field.name)
        if isinstance(value, bool) and "bool" not in str(field.type):
            raise ValueError(f"{field.name} is no switch; got {str(value).lower()}")


def in_tables(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a study with every field in its table. Errors: `ValueError` for one that is given twice."""
    sorted_content: dict[str, Any] = {}
    loose: dict[str, dict[str, Any]] = {}
    for name, value in content.items():
        table = None if name in (*TABLES, "models") else table_of_field(name)
        if table is None:
            sorted_content[name] = value
        else:
            loose.setdefault(table, {})[name] = value
    for table, fields in loose.items():
        given = sorted_content.get(table, {})
        if not isinstance(given, (Mapping, TABLES[table])):
            raise ValueError(f"expected {table} to be a table; got {given!r:.80}")
        before = given if isinstance(given, Mapping) else vars(given)
        if twice := [name for name in fields if isinstance(given, Mapping) and name in given]:
            raise ValueError(f"{twice[0]} is given twice: inside the table {table} and outside")
        sorted_content[table] = {**before, **fields}
    return sorted_content
