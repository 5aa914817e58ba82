"""`world:NAME`: the built-in networks of the world, whose weights come with the package."""

from __future__ import annotations

import fnmatch

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources.registry import Loaded, Preprocessing, build_quietly, model_source
from lumiscope.world import CLASSES, MEAN, SIZE, STD, WorldNet, load_weights


def world_names(pattern: str) -> list[str]:
    """The world's classifiers that match the wildcard `pattern`."""
    return fnmatch.filter(CLASSES, pattern)


@model_source("world", "world:objects", world_names)
def build_world(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build one of the world's classifiers.

    Errors: unknown name, any option besides `num_classes`, another number of classes than the pretrained weights have.
    """
    if rest not in CLASSES:
        raise UnknownNameError("world model", rest, CLASSES)
    classes: tuple[str, ...] = CLASSES[rest]
    if options.keywords:
        raise UsageError(f"world:{rest} takes no model options; got {', '.join(options.keywords)}")
    count = options.num_classes or len(classes)
    if pretrained and count != len(classes):
        raise UsageError(
            f"the weights of world:{rest} have {len(classes)} classes, not {count}; bring your own with "
            "--weights FILE, or take --weights random"
        )
    module = build_quietly(WorldNet, count)
    if pretrained:
        load_weights(module, rest)
    preprocessing = Preprocessing(input_size=(SIZE, SIZE), resize_size=(SIZE, SIZE), mean=MEAN, std=STD)
    return Loaded(module, preprocessing, classes if count == len(classes) else None)
