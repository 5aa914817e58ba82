"""Studies as files (TOML): read, checked, and written so that a file and what it names can be moved together."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import TypeAdapter, ValidationError

from lumiscope.errors import UsageError, nearest
from lumiscope.files import MOST_SETTINGS, failure_in_words, parse_toml, read_text, write_atomically
from lumiscope.specs import change_paths
from lumiscope.study.config.model_config import ModelConfig
from lumiscope.study.config.run_config import RunConfig
from lumiscope.study.config.study import TABLES, Study

T = TypeVar("T")


def load_study(path: Path | str) -> Study:
    """Read a study file (TOML). Paths in it are relative to it. Errors: `UsageError` that names the field."""
    path = Path(path)
    study = validated(Study, read_toml(path), str(path))
    return with_paths(study, lambda given: _absolute(given, path.parent))


def load_model_config(path: Path) -> ModelConfig:
    """Read one model's table from a file of its own (TOML). Paths in it are relative to it."""
    return model_of_table(read_toml(path), path.parent, str(path))


def model_of_table(table: Mapping[str, Any], folder: Path, source: str) -> ModelConfig:
    """One model from a table of a file in `folder`, to which its paths are relative. Errors: `UsageError`."""
    return _model_with_paths(validated(ModelConfig, table, source), lambda given: _absolute(given, folder))


def table_of_model(config: ModelConfig, folder: Path) -> dict[str, Any]:
    """The other way round: what is not as it is by default, with paths relative to `folder`."""
    home = folder.absolute()
    return _changed(_model_with_paths(config, lambda given: os.path.relpath(os.path.expanduser(given), home)))


def save_study(study: Study, path: Path) -> None:
    """Write a study file; paths become relative to it, so that both can be moved together."""
    folder = path.absolute().parent
    relative = with_paths(study, lambda given: os.path.relpath(os.path.expanduser(given), folder))
    write_atomically(path, tomli_w.dumps(content_of(relative)).encode())


def content_of(study: Study) -> dict[str, Any]:
    """A study as the tables of its file: what is as it is by default is left out."""
    content = {table: _changed(getattr(study, table)) for table in TABLES}
    filled = {table: fields for table, fields in content.items() if fields}
    return {**filled, "models": [_changed(model) for model in study.models]}


def _changed(config: Any) -> dict[str, Any]:
    """The fields of a config dataclass that are not as they are by default, as plain values."""
    changed = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        usual = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if value is not None and value != usual:
            changed[field.name] = list(value) if isinstance(value, tuple) else value
    return changed


def with_paths(study: Study, change: Callable[[str], str]) -> Study:
    """A copy of `study` in which `change` was applied to everything that is a path."""
    from lumiscope.concepts import SHIPPED
    from lumiscope.images import names_world
    from lumiscope.scorers import SCORERS

    def source(images: str | None) -> str | None:
        return images if images is None or names_world(images) else change(images)

    def path(given: str | None) -> str | None:
        return given and change(given)

    run, explain, dissect = study.run, study.explain, study.dissect
    concepts = dissect.concepts
    return study.model_copy(
        update={
            "run": dataclasses.replace(run, runs=run.runs if run.runs == RunConfig.runs else change(run.runs)),
            "explain": dataclasses.replace(
                explain,
                images=source(explain.images),
                image_options=path(explain.image_options),
                lime_params=path(explain.lime_params),
            ),
            "dissect": dataclasses.replace(
                dissect,
                probe=source(dissect.probe),
                concepts=concepts if concepts in (None, *SHIPPED) else path(concepts),
                annotations=path(dissect.annotations),
                scorer=dissect.scorer and change_paths(dissect.scorer, SCORERS, change),
            ),
            "models": tuple(_model_with_paths(model, change) for model in study.models),
        }
    )


def _model_with_paths(model: ModelConfig, change: Callable[[str], str]) -> ModelConfig:
    from lumiscope.models import SOURCES

    return dataclasses.replace(
        model,
        spec=change_paths(model.spec, SOURCES, change),
        weights=_weights_with_paths(model.weights, change),
        classes=model.classes and change(model.classes),
    )


def _weights_with_paths(weights: str | Sequence[str] | None, change: Callable[[str], str]) -> str | list[str] | None:
    from lumiscope.models import RANDOM, RANDOM_HEAD

    if weights is None or isinstance(weights, str):
        return weights if weights in (None, RANDOM, RANDOM_HEAD) else change(weights)
    return [part if part in (RANDOM, RANDOM_HEAD) else change(part) for part in weights]


def _absolute(given: str, folder: Path) -> str:
    return os.path.abspath(folder / Path(given).expanduser())


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Errors: `UsageError`."""
    try:
        return parse_toml(read_text(path, MOST_SETTINGS))
    except OSError as error:
        raise UsageError(f"expected a TOML file at {failure_in_words(error, path)}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error


def validated(kind: type[T], content: Mapping[str, Any], source: str) -> T:
    """Build a table. Errors: `UsageError` that names the field and, for an unknown one, the nearest."""
    try:
        return TypeAdapter(kind).validate_python(dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            known = _fields_at(kind, first["loc"][:-1])
            near = nearest(str(first["loc"][-1]), known)
            advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"{source}: unknown field {place}: {advice}") from error
        if first["type"] == "value_error":
            raise UsageError(f"{source}: {place + ': ' if place else ''}{first['ctx']['error']}") from error
        raise UsageError(f"{source}: {place}: {first['msg']}; got {_shortened(repr(first['input']))}") from error


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _fields_at(kind: type, place: tuple[int | str, ...]) -> list[str]:
    """The fields that may stand at a place in a study, or in a table of its own."""
    if kind is Study:
        if not place:
            loose = [field.name for table in TABLES.values() for field in dataclasses.fields(table)]
            return ["models", *TABLES, *loose]
        kind = ModelConfig if place[0] == "models" else TABLES[str(place[0])]
    return [field.name for field in dataclasses.fields(kind)]
