"""Options of single images, as files."""

from lumiscope.study.files.lime_parameters import (
    LimeParameters,
    file_names,
    parameters_of,
    read_lime_parameters,
    save_lime_parameters,
)

__all__ = ["LimeParameters", "file_names", "parameters_of", "read_lime_parameters", "save_lime_parameters"]
