"""Options of single images, as files."""

from lumiscope.study.files.image_names import file_names, short_name
from lumiscope.study.files.image_options import ImageOptions, read_image_options
from lumiscope.study.files.lime_keys import LIME_KEYS, from_lime_keys, to_lime_keys
from lumiscope.study.files.lime_parameters import PICKLES, parameters_of, read_lime_parameters, save_lime_parameters
from lumiscope.study.files.named_files import options_of_images
from lumiscope.study.files.option_file import parsed
from lumiscope.study.files.plain_pickle import dump_plain, load_plain

__all__ = [
    "LIME_KEYS",
    "PICKLES",
    "ImageOptions",
    "dump_plain",
    "file_names",
    "from_lime_keys",
    "load_plain",
    "options_of_images",
    "parameters_of",
    "parsed",
    "read_image_options",
    "read_lime_parameters",
    "save_lime_parameters",
    "short_name",
    "to_lime_keys",
]
