"""Weight files: read without running their code, and fitted to a network key by key."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lumiscope.errors import WeightsError

OFFLINE_WAYS = (
    "Without a network: give a weight file with --weights FILE (.safetensors, .pt, .pth or .pth.tar), put the download "
    "into the cache that HF_HOME or TORCH_HOME names and set HF_HUB_OFFLINE=1, or ask for random weights with "
    "--weights random."
)
NESTS = ("state_dict", "model", "model_state_dict")
PREFIXES = ("module.", "_orig_mod.")


def check_weights(path: Path) -> None:
    """Raise `WeightsError` where there is no file at `path`."""
    if not path.is_file():
        raise WeightsError(f"there is no weight file {path}. {OFFLINE_WAYS}")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict: safetensors, or a torch file with `weights_only`, so that no code of the file runs.

    Nests (`state_dict`, `model`) are opened and prefixes that all keys share (`module.`) are taken off.
    Errors: `WeightsError` for a file that is missing, damaged or holds no tensors.
    """
    check_weights(path)
    try:
        content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    except WeightsError:
        raise
    except Exception as error:
        raise WeightsError(f"{path} cannot be read as weights: {_reason(error)}") from error
    state = _strip_prefixes(_open_nests(content, path))
    if not state:
        raise WeightsError(f"expected tensors in {path}; found none")
    return state


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors.torch import load_file

    return load_file(path)


def _read_torch(path: Path) -> Mapping[str, Any]:
    # training scripts put their arguments and numpy numbers beside the weights; these types carry no code
    harmless: list[Any] = [argparse.Namespace, np.dtype, np.ndarray, *_numpy_makers()]
    harmless += [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "u1", "?")]
    with torch.serialization.safe_globals(harmless):
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except UnicodeDecodeError:  # numpy numbers in a file that Python 2 wrote
            with warnings.catch_warnings():  # torch says that the encoding is of no use here; it is of use
                warnings.filterwarnings("ignore", "pickle_load_args", UserWarning)
                content = torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")
    if not isinstance(content, Mapping):
        raise WeightsError(f"expected a state dict in {path}; got {type(content).__name__}")
    return content


def _reason(error: Exception) -> str:
    """Why a file cannot be read, without torch's advice to run its code."""
    text = str(error).strip()
    if "TorchScript" in text:
        return "it is a TorchScript archive. Save the state_dict() of the module in it."
    foreign = re.search(r"GLOBAL (\S+) (?:was not an allowed global|whose module)", text)
    if foreign:
        return (
            f"it holds more than tensors ({foreign.group(1)}), which loading would have to run; nothing "
            "was run. Save model.state_dict() alone, best as .safetensors."
        )
    if isinstance(error, pickle.UnpicklingError | EOFError) or not text:
        return "it is damaged, or not a file that torch.save wrote"
    return text.splitlines()[0][:300]


def _numpy_makers() -> list[Any]:
    """What numpy calls when it makes a scalar and an array from their pickled bytes."""
    return [np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]]


def _open_nests(content: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor]:
    for nest in NESTS:
        inner = content.get(nest)
        if isinstance(inner, Mapping):
            return _open_nests(inner, path)
    return {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}


def _strip_prefixes(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            return _strip_prefixes({key.removeprefix(prefix): value for key, value in state.items()})
    return state


def fit_weights(
    module: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path, *, partial: bool, hint: str = ""
) -> str:
    """Load `state` into `module` and return what was left out, in words ("" when all fitted).

    Counters of batches (`num_batches_tracked`) change no output and may be missing. With `partial`, keys that are
    missing, unexpected or of another shape are left out. Errors: otherwise they are a `WeightsError` that lists them;
    `hint` says what a number of outputs that differs may come from.
    """
    of_module = module.state_dict()
    missing = [key for key in of_module if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in of_module]
    other_shape = [key for key in state if key in of_module and state[key].shape != of_module[key].shape]
    problems = [
        _listed("missing", missing),
        _listed("unexpected", unexpected),
        _listed("of another shape", [_shapes(key, state[key], of_module[key]) for key in other_shape]),
    ]
    summary = "; ".join(problem for problem in problems if problem)
    if summary and not partial:
        raise WeightsError(f"{path} does not fit this model: {summary}. {_advice(other_shape, state, of_module, hint)}")
    fitting = {key: value for key, value in state.items() if key in of_module and key not in other_shape}
    if not fitting:
        raise WeightsError(f"nothing in {path} fits this model: {summary}")
    module.load_state_dict(fitting, strict=False)
    return summary


def _shapes(key: str, came: torch.Tensor, expected: torch.Tensor) -> str:
    return f"{key} (file {tuple(came.shape)}, model {tuple(expected.shape)})"


def _listed(what: str, keys: list[str], most: int = 20) -> str:
    if not keys:
        return ""
    more = f", … {len(keys) - most} more" if len(keys) > most else ""
    return f"{len(keys)} {what}: {', '.join(keys[:most])}{more}"


def _advice(
    other_shape: list[str], state: Mapping[str, torch.Tensor], of_module: Mapping[str, torch.Tensor], hint: str
) -> str:
    sizes = {state[key].shape[:1] if state[key].shape[1:] == of_module[key].shape[1:] else None for key in other_shape}
    size = sizes.pop() if len(sizes) == 1 else None
    if size and hint:
        return f"The weights have {size[0]} outputs, but {hint}"
    if size:
        return f"The number of outputs differs: --num-classes {size[0]} may be what is missing."
    return "Check the model spec and its --model-option values, or allow it with --weights-partial."
