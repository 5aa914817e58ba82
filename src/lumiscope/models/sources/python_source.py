"""`python:package.module:factory`: a model that the user's own code builds."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources.registry import Loaded, Preprocessing, build_quietly, model_source
from lumiscope.models.sources.timm_source import timm_preprocessing


@model_source("python", "python:package.module:factory", lambda pattern: [])
def build_python(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Call `factory(**model_options)`, with `num_classes` where it is given.

    Modules are looked for in the current folder as well. Errors: no such module or factory, options that the factory
    does not take, anything that is not a torch module.
    """
    module_name, colon, factory_name = rest.partition(":")
    if not colon or not factory_name:
        raise UsageError(f"expected python:package.module:factory; got python:{rest}")
    source = _import(module_name)
    factory = getattr(source, factory_name, None)
    if not callable(factory):
        names = [name for name in dir(source) if callable(getattr(source, name)) and not name.startswith("_")]
        raise UnknownNameError(f"factory in {module_name}", factory_name, names)
    keywords = options.arguments()
    if options.derived and not _takes(factory, "num_classes"):
        del keywords["num_classes"]
    try:
        inspect.signature(factory).bind(**keywords)
    except TypeError as error:
        raise UsageError(f"python:{rest} does not take these options: {error}") from error
    except ValueError:
        pass  # some built-in callables have no signature to check against
    with _current_folder_importable():  # a factory may import when it is called
        try:
            built = build_quietly(factory, **keywords)
        except Exception as error:
            raise ModelError(f"python:{rest} cannot be built: {type(error).__name__}: {error}") from error
    if not isinstance(built, torch.nn.Module):
        raise ModelError(f"expected python:{rest} to return a torch.nn.Module; got {type(built).__name__}")
    if getattr(built, "pretrained_cfg", None) or getattr(built, "default_cfg", None):
        return Loaded(built, timm_preprocessing(built))
    return Loaded(built, Preprocessing(stated=False))


def _takes(factory: Callable[..., object], keyword: str) -> bool:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:
        return False
    return any(one.name == keyword or one.kind is one.VAR_KEYWORD for one in parameters)


def _import(name: str) -> ModuleType:
    with _current_folder_importable():
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name == error.name or name.startswith(error.name + ".")):
                raise UsageError(
                    f"there is no Python module {name!r} here ({os.getcwd()}) or among the installed packages"
                ) from error
            raise ModelError(f"{name} cannot be imported: {error}") from error
        except Exception as error:
            raise ModelError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    folder = os.getcwd()
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)
