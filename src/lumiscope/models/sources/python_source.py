"""`python:package.module:name`: a model that the user's own code is or builds."""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models.black_box import Predictor
from lumiscope.models.guard import copied
from lumiscope.models.options import BuildOptions, height_width
from lumiscope.models.sources._statements import of_model, stated
from lumiscope.models.sources.registry import Loaded, LoadedBlackBox, Preprocessing, build_quietly, model_source
from lumiscope.models.torch_model import TorchModel
from lumiscope.types import ByteArray


@model_source("python", "python:package.module:factory")
def build_python(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded | LoadedBlackBox:
    """Load `module:name`, one of three things, told apart by what it is and by its signature.

    1. A torch module: taken as it is (a copy of it), or a `TorchModel`, with all that it says of its network.
    2. A callable that has a parameter without a default, which no option gives: it classifies pictures, (N, h, w, 3)
       uint8 -> (N, classes), itself; options are its keyword arguments.
    3. Any other callable: a factory, called with the options (with `num_classes` where it is given). It returns a
       torch module, a `TorchModel`, or a callable on pictures.

    A network or its factory may state `mean`, `std`, `input_size`, `classes` or a config of timm; see `stated`.

    Modules are looked for in the current folder as well. Errors: no such module or name, options that it does not
    take, a factory that fails or returns something else.
    """
    source, named = _named(rest, "factory")
    if isinstance(named, torch.nn.Module | TorchModel):
        given = BuildOptions(None if options.derived else options.num_classes, keywords=options.keywords).arguments()
        if given:
            raise UsageError(f"python:{rest} is a network already; it takes no options, got {', '.join(given)}")
        if isinstance(named, TorchModel):
            return replace(of_model(named), module=copied(named.module))
        return stated(copied(named), None, f"python:{rest}")
    pictures = _pictures_parameter(named, options.keywords)
    keywords = options.arguments()
    if (pictures or options.derived) and not _takes(named, "num_classes"):
        keywords = dict(options.keywords)
    if pictures:
        _check_options(named, [None], keywords, rest)
        hint = f"Its parameter {pictures!r} was given pictures; if it is a factory: --model-option {pictures}=…"
        return _black_box(functools.partial(named, **keywords), named, source, rest, keywords, hint)
    _check_options(named, [], keywords, rest)
    built = _call(named, keywords, rest)
    if isinstance(built, TorchModel):
        return of_model(built)
    if isinstance(built, torch.nn.Module):
        return stated(built, named, f"python:{rest}")
    if callable(built):
        return _black_box(built, built, source, rest, keywords, "")
    raise ModelError(
        f"expected python:{rest} to return a torch.nn.Module, a TorchModel or a callable on pictures; "
        f"got {type(built).__name__}"
    )


def find_callable(rest: str) -> Callable[..., Any]:
    """The function `module:name`; modules are looked for in the current folder as well.

    Errors: `UsageError` for another form or an unknown module, `UnknownNameError` for an unknown name.
    """
    named: Callable[..., Any] = _named(rest, "function")[1]
    return named


def _named(rest: str, what: str) -> tuple[ModuleType, Any]:
    """The module of `module:name`, and the callable that it has under that name: a `what` to the user."""
    module_name, colon, name = rest.partition(":")
    if not colon or not name:
        raise UsageError(f"expected python:package.module:{what}; got python:{rest}")
    source = _import(module_name)
    named = getattr(source, name, None)
    if not callable(named) and not isinstance(named, TorchModel):
        names = [name for name in dir(source) if callable(getattr(source, name)) and not name.startswith("_")]
        raise UnknownNameError(f"{what} in {module_name}", name, names)
    return source, named


def _black_box(
    predictor: Predictor, said: object, source: ModuleType, rest: str, keywords: Mapping[str, Any], hint: str
) -> LoadedBlackBox:
    """A callable on pictures; `said` may carry `classes` and `input_size` as attributes."""
    try:
        size = height_width(getattr(said, "input_size", None))
        classes = getattr(said, "classes", None)
        names = None if classes is None else tuple(str(name) for name in classes)
    except (UsageError, TypeError, ValueError) as error:
        raise ModelError(f"the attributes classes and input_size of python:{rest} are of no use: {error}") from error
    home = getattr(source, "__file__", None)
    code = hashlib.sha256(Path(home).read_bytes()).hexdigest() if home else ""
    stated = {"mean", "std"} | ({"input_size"} if size else set())
    return LoadedBlackBox(
        lambda preprocessing, device: _Called(predictor, rest, hint),
        Preprocessing(stated=frozenset(stated)).of_size(size),
        classes=names,
        identity=f"python:{rest} {sorted(keywords.items())} {code}",
    )


class _Called:
    """`predictor`, called with the current folder importable: it may import when it is called."""

    def __init__(self, predictor: Predictor, rest: str, hint: str) -> None:
        self.predictor = predictor
        self.rest = rest
        self.hint = hint

    def __call__(self, pixels: ByteArray) -> object:
        with _current_folder_importable():
            try:
                return self.predictor(pixels)
            except (TypeError, ValueError, AttributeError) as error:  # as of a factory that takes no pictures
                raise ModelError(
                    f"python:{self.rest} failed on {pixels.shape} uint8 pictures: {type(error).__name__}: {error}. "
                    f"{self.hint}".strip()
                ) from error


def _check_options(
    named: Callable[..., object], positional: Sequence[object], keywords: Mapping[str, Any], rest: str
) -> None:
    try:
        inspect.signature(named).bind(*positional, **keywords)
    except TypeError as error:
        raise UsageError(f"python:{rest} does not take these options: {error}") from error
    except ValueError:
        pass  # some built-in callables have no signature to check against


def _call(factory: Callable[..., Any], keywords: Mapping[str, Any], rest: str) -> object:
    with _current_folder_importable():  # a factory may import when it is called
        try:
            return build_quietly(factory, **keywords)
        except Exception as error:
            raise ModelError(f"python:{rest} cannot be built: {type(error).__name__}: {error}") from error


def _pictures_parameter(named: Callable[..., object], keywords: Mapping[str, Any]) -> str:
    """The name of the first positional parameter that is still to be given after the options; "" where there is none.

    A class is a factory whatever its parameters.
    """
    if isinstance(named, type):
        return ""
    try:
        parameters = inspect.signature(named).parameters.values()
    except (TypeError, ValueError):
        return ""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    still_open = (
        parameter for parameter in parameters if parameter.default is parameter.empty and parameter.name not in keywords
    )
    return next((parameter.name for parameter in still_open if parameter.kind in positional), "")


def _takes(factory: Callable[..., object], keyword: str) -> bool:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:
        return False
    return any(parameter.name == keyword or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


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
