"""A study as a file: every flag of the command line is a field here, and the other way round."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lumiscope.errors import UsageError, nearest
from lumiscope.specs import change_paths

DEFAULT_METHODS = ["gradcam", "ablationcam", "scorecam", "lime"]
RANDOM_WEIGHTS = "random"
T = TypeVar("T", bound=BaseModel)


class _Table(BaseModel):
    """A table of a study file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, protected_namespaces=())


class ModelConfig(_Table):
    """One model: the arguments of `load_model`, a name, and where the CAM family looks."""

    spec: str
    name: str | None = None
    weights: str | None = None
    weights_partial: bool = False
    classes: str | None = None
    num_classes: int | None = Field(default=None, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)
    mean: float | list[float] | None = None
    std: float | list[float] | None = None
    input_size: int | list[int] | None = None
    geometry: Literal["crop", "squash"] = "crop"
    interpolation: str | None = None
    target_layer: str | list[str] | None = None
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    device: str | None = None


class Study(_Table):
    """What to explain and to label, by which models and how.

    `description`: a few sentences for the head of the report.
    `images`: folder, glob, CSV or world:COUNT@SEED to explain; None: no explanations. `probe`: images to dissect with;
    None: no dissection. `prompts`: sentences with {} where a concept goes, for scorers that embed text; none: the
    scorer's own. `similarity`: "auto" chooses one that suits the scores. `fdr`: the share of labels that may be chance;
    `min_stability`: how often a label must win when the probing images are drawn again. `annotations`: a folder that
    says what is at each pixel of the probing images; None: the scorer's, or what the world knows of its own.
    `runs`: the folder that holds run folders and the store. `lime_params`: a file with LIME's parameters image by
    image; what `options` says of LIME wins over it.
    """

    description: str | None = None
    images: str | None = None
    models: list[ModelConfig] = Field(min_length=1)
    probe: str | None = None
    name: str | None = Field(default=None, pattern=r"^[\w][\w. -]*$")
    runs: str = "runs"
    methods: list[str] = Field(default_factory=lambda: list(DEFAULT_METHODS))
    target: str | int = "predicted"
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    masks: dict[str, str] = Field(default_factory=dict)
    layers: list[str] = Field(default_factory=lambda: ["auto:5"])
    scorer: str | None = None
    concepts: str | None = None
    prompts: list[str] = Field(default_factory=list)
    similarity: str = "auto"
    pooling: Literal["mean", "max"] = "mean"
    fdr: float = Field(default=0.05, gt=0, le=1)
    min_stability: float = Field(default=0.5, ge=0, le=1)
    annotations: str | None = None
    seed: int = Field(default=0, ge=0)
    backend: str = "auto"
    precision: Literal["exact", "fast"] = "exact"
    lime_params: str | None = None
    on_error: Literal["skip", "stop"] = "skip"

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: list[ModelConfig]) -> list[ModelConfig]:
        given = [model.name for model in models if model.name]
        twice = {name for name in given if given.count(name) > 1}
        if twice:
            raise ValueError(f"two models are called {', '.join(sorted(twice))}; give each its own name")
        return models

    @property
    def run_name(self) -> str:
        """The name of the run folder: as given, else made from what the study is, so that it is found again."""
        if self.name:
            return self.name
        facts = self.model_dump_json(exclude={"name", "runs", "description"})
        source = Path(self.images or self.probe or "study")
        words = [source.parent.name if source.suffix == ".csv" else source.stem, *model_names(self.models)]
        readable = "-".join(re.sub(r"[^\w]+", "_", word).strip("_") for word in words if word)[:60]
        return f"{readable}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.runs) / self.run_name

    @property
    def scorer_spec(self) -> str | None:
        """The scorer; a bare `masks` means the study's own annotations, where it names some."""
        return f"masks:{self.annotations}" if self.scorer == "masks" and self.annotations else self.scorer

    def check(self) -> None:
        """Raise `UsageError` where the parts do not go together."""
        if self.images is None and self.probe is None:
            raise UsageError(
                "expected images to explain (--images FOLDER, GLOB, CSV or world:COUNT) or images to dissect with "
                "(--probe), or both"
            )
        if self.probe is not None and self.scorer is None:
            raise UsageError(
                "expected a scorer to go with --probe: it says which concepts are in the probing images. "
                "Give --scorer open_clip:ARCH/PRETRAINED, table:FILE or, for the built-in world, world:clip."
            )
        if self.scorer is not None and self.probe is None:
            raise UsageError("expected probing images (--probe FOLDER, GLOB, CSV or world:COUNT) to go with --scorer")


def model_names(models: list[ModelConfig]) -> list[str]:
    """A name for each model, no two alike: as given, else the short name of its spec, else longer ones."""
    from lumiscope.models import default_name

    names: list[str] = []
    for model in models:
        short = model.name or default_name(model.spec)
        longer = [short, re.sub(r"[:/@]+", "-", model.spec.partition(":")[2])]
        numbered = (f"{short}-{number}" for number in range(2, len(models) + 2))
        names.append(next(name for name in (*longer, *numbered) if name not in names))
    return names


def load_study(path: Path) -> Study:
    """Read a study file (TOML). Paths in it are relative to it. Errors: `UsageError` that names the field."""
    study = validated(Study, _read_toml(path), str(path))
    return with_paths(study, lambda given: _absolute(given, path.parent))


def load_model_config(path: Path) -> ModelConfig:
    """Read one model's table from a file of its own (TOML). Paths in it are relative to it."""
    config = validated(ModelConfig, _read_toml(path), str(path))
    return _model_with_paths(config, lambda given: _absolute(given, path.parent))


def save_study(study: Study, path: Path) -> None:
    """Write a study file; paths become relative to it, so that both can be moved together."""
    from lumiscope.store import write_atomically

    folder = path.absolute().parent
    relative = with_paths(study, lambda given: os.path.relpath(os.path.expanduser(given), folder))
    content = relative.model_dump(exclude_none=True, exclude_defaults=True)
    write_atomically(path, tomli_w.dumps(content).encode())


def with_paths(study: Study, change: Callable[[str], str]) -> Study:
    """A copy of `study` in which `change` was applied to everything that is a path."""
    from lumiscope.concepts import SHIPPED
    from lumiscope.images import names_world
    from lumiscope.scorers import SCORERS

    concepts = study.concepts

    def source(images: str | None) -> str | None:
        return images if images is None or names_world(images) else change(images)

    return study.model_copy(
        update={
            "images": source(study.images),
            "probe": source(study.probe),
            "runs": change(study.runs) if "runs" in study.model_fields_set else study.runs,
            "concepts": concepts if concepts in (None, *SHIPPED) else change(str(concepts)),
            "annotations": study.annotations and change(study.annotations),
            "scorer": study.scorer and change_paths(study.scorer, SCORERS, change),
            "lime_params": study.lime_params and change(study.lime_params),
            "models": [_model_with_paths(model, change) for model in study.models],
        }
    )


def _model_with_paths(model: ModelConfig, change: Callable[[str], str]) -> ModelConfig:
    from lumiscope.models import SOURCES

    weights = model.weights if model.weights in (None, RANDOM_WEIGHTS) else change(str(model.weights))
    classes = model.classes and change(model.classes)
    return model.model_copy(
        update={"spec": change_paths(model.spec, SOURCES, change), "weights": weights, "classes": classes}
    )


def _absolute(given: str, folder: Path) -> str:
    return os.path.abspath(folder / Path(given).expanduser())


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"expected a TOML file at {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error


def validated(kind: type[T], content: dict[str, Any], source: str) -> T:
    """Build a table. Errors: `UsageError` that names the field and, for an unknown one, the nearest."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            fields = ModelConfig.model_fields if place.startswith("models.") else kind.model_fields
            near = nearest(str(first["loc"][-1]), fields)
            advice = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(fields)}"
            raise UsageError(f"{source}: unknown field {place}: {advice}") from error
        if first["type"] == "value_error":
            raise UsageError(f"{source}: {place}: {first['ctx']['error']}") from error
        raise UsageError(f"{source}: {place}: {first['msg']}; got {first['input']!r}") from error
