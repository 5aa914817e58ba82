"""Options of single images, as files."""

from lumiscope.study.files.image_names import file_names
from lumiscope.study.files.image_options import ImageOptions, read_image_options
from lumiscope.study.files.lime_parameters import parameters_of, read_lime_parameters, save_lime_parameters
from lumiscope.study.files.named_files import options_of_images

__all__ = [
    "ImageOptions",
    "file_names",
    "options_of_images",
    "parameters_of",
    "read_image_options",
    "read_lime_parameters",
    "save_lime_parameters",
]
