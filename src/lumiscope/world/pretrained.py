"""The weights that the package ships: safetensors of half precision with a note of how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from lumiscope.errors import WeightsError
from lumiscope.files import write_atomically
from lumiscope.world import OBJECTS, SCENES

WEIGHTS = Path(__file__).with_name("weights")
CLASSES = {"objects": OBJECTS, "scenes": SCENES, "shortcut": OBJECTS}
NAMES = (*CLASSES, "clip")
MADE_AGAIN = "`python -m lumiscope.world.train` makes it again."


def weights_file(name: str, folder: Path = WEIGHTS) -> Path:
    """Where the weights of `name`, one of NAMES, are."""
    return folder / f"{name}.safetensors"


def save_weights(module: torch.nn.Module, name: str, folder: Path, notes: Mapping[str, str]) -> Path:
    """Write a network's weights in half precision; `notes` say how they were made. Returns the file."""
    from safetensors.torch import save

    state = {key: value.detach().half().contiguous() for key, value in _kept(module).items()}
    path = weights_file(name, folder)
    write_atomically(path, save(state, {**notes, "words": _words(name)}))
    return path


def load_weights(module: torch.nn.Module, name: str, folder: Path = WEIGHTS) -> None:
    """Fill a network with its stored weights.

    Errors: `WeightsError` for a file that is missing, damaged or made for other words or another network.
    """
    from safetensors import SafetensorError, safe_open

    path = weights_file(name, folder)
    if not path.is_file():
        raise WeightsError(f"there is no weight file {path}. {MADE_AGAIN}")
    try:
        with safe_open(path, "pt") as stored:
            words = (stored.metadata() or {}).get("words")
            state = {key: stored.get_tensor(key).float() for key in stored.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(f"{path} is damaged ({error}). {MADE_AGAIN}") from error
    expected = {key: value.shape for key, value in _kept(module).items()}
    if words != _words(name) or expected != {key: value.shape for key, value in state.items()}:
        raise WeightsError(f"{path} was made for another version of the world. {MADE_AGAIN}")
    module.load_state_dict(state, strict=False)


def read_notes(name: str, folder: Path = WEIGHTS) -> dict[str, str]:
    """How the weights were made: seed, images, epochs, steps, version of the renderer, words."""
    from safetensors import safe_open

    with safe_open(weights_file(name, folder), "pt") as stored:
        return dict(stored.metadata() or {})


def _words(name: str) -> str:
    """What the numbers that go into a network or come out of it stand for."""
    from lumiscope.world.text import VOCABULARY

    return " ".join(CLASSES.get(name, VOCABULARY))


def _kept(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A network's state without the counters of batches, which change no output."""
    return {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}
