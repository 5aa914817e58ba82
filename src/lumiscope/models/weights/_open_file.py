"""From a file of weights, whatever its name, to what is in it; what it is instead, where it is none."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import torch

from lumiscope.errors import WeightsError
from lumiscope.models.weights._stored import MadeTensor
from lumiscope.models.weights._tensor_pickle import ForeignNameError, RefusedPickleError
from lumiscope.models.weights._torch_file import read_legacy, read_zip
from lumiscope.pickle_machine import BrokenPickleError

ZIP, PICKLE, SAFETENSORS = b"PK\x03\x04", b"\x80", b"{"
OTHER_KINDS = {
    b"version https://git-lfs": "a pointer of Git LFS: run git lfs pull, or download the file itself",
    b"<": "a web page: the download failed, or asked for a login",
    b"\x89HDF": "a HDF5 file, as Keras writes it. Give weights that torch.save or safetensors wrote",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ": "compressed by xz: unpack it first",
    b"GGUF": "a GGUF file, as llama.cpp writes it. Give weights that torch.save or safetensors wrote",
    b"\x93NUMPY": "a NumPy array. Give weights that torch.save or safetensors wrote",
    b"{": "a JSON text, as the index of weights in several files is. Give the file with the weights",
}
DAMAGED = "it is damaged, or not a file that torch.save or safetensors wrote"


def open_file(path: Path) -> Any:
    """The content of a file of weights: dicts and lists with tensors that still lie in the file.

    What kind of file it is its first bytes say. Errors: `WeightsError` for one that is damaged, of another kind, or
    names what loading would have to run.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise WeightsError(f"{path} cannot be read as weights: it is no regular file")
        with path.open("rb") as file:
            begin = file.read(512)
        # Before pickles: the length of its header comes first, and may begin with any byte.
        if _begins_as_safetensors(begin, path.stat().st_size):
            return _read_safetensors(path)
        if begin.startswith(ZIP):
            return read_zip(path)
        if begin.startswith(PICKLE) or (begin[:1] and begin[:1] in b"(]}cl"):
            return read_legacy(path)
    except WeightsError:
        raise
    except ForeignNameError as error:
        raise WeightsError(
            f"{path} cannot be read as weights: it holds more than tensors ({error}), which loading would have to run; "
            "nothing was run. Save model.state_dict() alone, best as .safetensors."
        ) from error
    except RefusedPickleError as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error
    except BrokenPickleError as error:
        raise WeightsError(f"{path} cannot be read as weights: {DAMAGED} ({str(error)[:200]})") from error
    except Exception as error:  # zipfile and safetensors raise whatever they like at damaged bytes
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise WeightsError(f"{path} cannot be read as weights: {DAMAGED} ({reason})") from error
    if begin[257:262] == b"ustar":
        raise WeightsError(f"{path} cannot be read as weights: it is a tar archive: unpack it first")
    if path.suffix.lower() == ".onnx":
        raise WeightsError(f"{path} cannot be read as weights: it is a whole model; its spec is onnx:{path}")
    other = next((words for magic, words in OTHER_KINDS.items() if begin.lstrip().startswith(magic)), "")
    raise WeightsError(f"{path} cannot be read as weights: {'it is ' + other if other else DAMAGED}")


def _begins_as_safetensors(begin: bytes, size: int) -> bool:
    """The length of a header that fits into the file, in 8 bytes, and the brace that opens it."""
    return begin[8:9] == SAFETENSORS and int.from_bytes(begin[:8], "little") <= size - 8


def _read_safetensors(path: Path) -> dict[str, MadeTensor]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        return {name: MadeTensor(tuple(file.get_slice(name).get_shape()), _later(path, name)) for name in names}


def _later(path: Path, name: str) -> Any:
    from safetensors import safe_open

    def load() -> torch.Tensor:
        with safe_open(path, framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
            return tensor

    return load
