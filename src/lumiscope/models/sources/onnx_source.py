"""`onnx:FILE`: a network as an ONNX file, run by ONNX Runtime (extra `onnx`); it can only predict."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models.black_box import Predictor
from lumiscope.models.channels import LUMINANCE_NOTE, RGB, luminance, per_channel
from lumiscope.models.options import BuildOptions, source_options
from lumiscope.models.sources.registry import LoadedBlackBox, Preprocessing, model_source
from lumiscope.requirement import Requirement
from lumiscope.specs import one_path
from lumiscope.types import ByteArray

Side = int | str | None
PIXELS = 224 * 224
PICTURES = 8  # of 224×224 at once; others as many as have that many pixels
KINDS: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True)
class OnnxOptions:
    """`layout`: of the input; None: read from the graph. `channels`: their order. `output`: the name of the scores."""

    layout: Literal["nchw", "nhwc"] | None = None
    channels: Literal["rgb", "bgr"] = "rgb"
    output: str | None = None


@dataclass(frozen=True)
class Input:
    """The picture that a graph takes. `channels`: 3 of RGB, or 1 of luminance. `batch`, `size`: None: any."""

    name: str
    kind: type[np.generic]
    layout: Literal["nchw", "nhwc"]
    channels: int
    batch: int | None
    size: tuple[int, int] | None


@model_source("onnx", "onnx:FILE", paths=one_path, requires=Requirement("onnxruntime", "onnxruntime", extra="onnx"))
def build_onnx(rest: str, options: BuildOptions, *, pretrained: bool) -> LoadedBlackBox:
    """Open an ONNX file. Errors: no such file, a graph that takes no picture, unknown options."""
    chosen = source_options(OnnxOptions, options.keywords, "onnx")
    path = Path(rest).expanduser()
    if not path.is_file():
        raise ModelError(f"there is no ONNX file {path}")
    session = _session(path, torch.device("cpu"))
    picture = _picture(session, chosen, rest)
    outputs = _outputs(session, chosen, rest)
    size = picture.size or Preprocessing().input_size
    raw = picture.kind is np.uint8
    stated = ({"input_size"} if picture.size else set()) | ({"mean", "std"} if raw else set())
    batch = picture.batch or max(1, PICTURES * PIXELS // (size[0] * size[1]))

    def connect(preprocessing: Preprocessing, device: torch.device) -> Predictor:
        running = session if device.type == "cpu" else _session(path, device)
        return _Runner(running, picture, outputs, preprocessing, reverse=chosen.channels == "bgr")

    return LoadedBlackBox(
        connect,
        Preprocessing(stated=frozenset(stated)).of_size(size),
        normalises=raw,
        fixed_size=picture.size is not None,
        devices=("cpu", "cuda"),
        batch_size=batch,
        identity=f"{_hash(path)} {chosen}",
        notes=(LUMINANCE_NOTE,) if picture.channels == 1 else (),
    )


class _Runner:
    """uint8 pictures to what the graph gives for them. `reverse`: blue comes first."""

    def __init__(
        self, session: Any, picture: Input, outputs: list[str], preprocessing: Preprocessing, *, reverse: bool
    ) -> None:
        self.session = session
        self.picture = picture
        self.outputs = outputs
        self.mean = np.array(per_channel(preprocessing.mean, picture.channels), np.float32)
        self.std = np.array(per_channel(preprocessing.std, picture.channels), np.float32)
        self.reverse = reverse

    def __call__(self, pixels: ByteArray) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """(N, h, w, 3) uint8 -> (N, outputs), by name where the graph gives several arrays that may be the scores.

        A graph with a fixed batch gets the last picture repeated.
        """
        inputs: NDArray[Any] = luminance(pixels) if self.picture.channels == 1 else pixels
        if self.picture.kind is not np.uint8:
            inputs = ((inputs.astype(np.float32) / 255 - self.mean) / self.std).astype(self.picture.kind)
        if self.reverse:
            inputs = inputs[..., ::-1]
        if self.picture.layout == "nchw":
            inputs = inputs.transpose(0, 3, 1, 2)
        missing = (self.picture.batch or 0) - len(inputs)
        if missing > 0:
            inputs = np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)])
        arrays = self.session.run(self.outputs, {self.picture.name: np.ascontiguousarray(inputs)})
        rows = [np.asarray(array)[: len(pixels)] for array in arrays]
        return rows[0] if len(rows) == 1 else dict(zip(self.outputs, rows, strict=True))


def _session(path: Path, device: torch.device) -> Any:
    import onnxruntime

    provider = "CPUExecutionProvider" if device.type == "cpu" else "CUDAExecutionProvider"
    here = onnxruntime.get_available_providers()
    if provider not in here:
        raise UsageError(
            f"onnx:{path} cannot be put on {device}: this onnxruntime has {', '.join(here)}. Install onnxruntime-gpu."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    device_options = {} if device.type == "cpu" else {"device_id": device.index or 0}
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[(provider, device_options)])
    except Exception as error:  # its exceptions have no base of their own
        raise ModelError(f"{path} cannot be read as an ONNX model: {str(error).strip().splitlines()[0]}") from error


def _picture(session: Any, options: OnnxOptions, rest: str) -> Input:
    """The one input, as a picture. Errors: `ModelError` where it is none."""
    inputs = session.get_inputs()
    said = ", ".join(f"{given.name} {given.shape} {given.type}" for given in inputs)
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in KINDS:
        raise ModelError(
            f"expected onnx:{rest} to take one picture, (N, 3, h, w) or (N, h, w, 3), as float, float16, double or "
            f"uint8; it takes {said}"
        )
    shape: list[Side] = inputs[0].shape
    layout = options.layout or ("nhwc" if shape[3] in (1, RGB) and shape[1] not in (1, RGB) else "nchw")
    channels = shape[1 if layout == "nchw" else 3]
    if isinstance(channels, int) and channels not in (1, RGB):
        raise ModelError(
            f"expected onnx:{rest} to take 3 channels, laid out as {layout}, or 1; it takes {said}. "
            "--model-option layout=nchw or nhwc says it otherwise."
        )
    height, width = shape[2:] if layout == "nchw" else shape[1:3]
    fixed = isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0
    batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
    size = (int(height), int(width)) if fixed else None  # type: ignore[arg-type]
    return Input(inputs[0].name, KINDS[inputs[0].type], layout, 1 if channels == 1 else RGB, batch, size)


def _outputs(session: Any, options: OnnxOptions, rest: str) -> list[str]:
    """The names of the outputs that may be the scores: the one asked for, else those with rows of numbers or labels."""
    names: list[str] = [output.name for output in session.get_outputs()]
    if options.output is not None:
        if options.output not in names:
            raise UnknownNameError(f"output of onnx:{rest}", options.output, names)
        return [options.output]
    rows = [output.name for output in session.get_outputs() if output.type.startswith("tensor(") and _is_rows(output)]
    return rows or names[:1]


def _is_rows(output: Any) -> bool:
    """Whether an output has, as far as its shape is known, one row an image, and no maps."""
    return len(output.shape) <= 2 or all(side in (1, None) or isinstance(side, str) for side in output.shape[2:])


def _hash(path: Path) -> str:
    """Sha256 of the file and of those that exporters put beside it for large weights: FILE.data, FILE_data."""
    digest = hashlib.sha256()
    for part in sorted(path.parent.glob(f"{glob.escape(path.name)}*")):
        if part.is_file():
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
