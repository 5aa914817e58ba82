"""What a study is: tables of settings, each a dataclass that files, flags and Python's keywords fill alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front
from lumiscope.study.config.dissect_config import AUTO, DEFAULT_LAYERS, DissectConfig
from lumiscope.study.config.explain_config import DEFAULT_METHODS, ExplainConfig, Options
from lumiscope.study.config.model_config import ModelConfig
from lumiscope.study.config.reading import split_list
from lumiscope.study.config.run_config import RunConfig
from lumiscope.study.config.setting import Setting, setting, setting_of

if TYPE_CHECKING:
    from lumiscope.study.config.files import (
        content_of,
        load_model_config,
        load_study,
        model_of_table,
        read_toml,
        save_study,
        table_of_model,
        validated,
    )
    from lumiscope.study.config.study import TABLES, Study, in_tables

# Flags are made of the tables whenever the command line starts; what needs pydantic waits until it is used.
_LATER = {
    "files": (
        "content_of",
        "load_model_config",
        "load_study",
        "model_of_table",
        "read_toml",
        "save_study",
        "table_of_model",
        "validated",
    ),
    "study": ("TABLES", "Study", "in_tables"),
}

__all__ = [
    "AUTO",
    "DEFAULT_LAYERS",
    "DEFAULT_METHODS",
    "TABLES",
    "DissectConfig",
    "ExplainConfig",
    "ModelConfig",
    "Options",
    "RunConfig",
    "Setting",
    "Study",
    "content_of",
    "in_tables",
    "load_model_config",
    "load_study",
    "model_of_table",
    "read_toml",
    "save_study",
    "setting",
    "setting_of",
    "split_list",
    "table_of_model",
    "validated",
]

__getattr__ = lazy_front(__name__, _LATER)
