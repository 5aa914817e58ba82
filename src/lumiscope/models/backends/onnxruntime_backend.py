"""ONNX Runtime (extra `onnx`): the network exported to ONNX; always float32."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from lumiscope.models.backends.registry import Numbers, Runner, inference_backend
from lumiscope.models.guard import borrowed
from lumiscope.models.outputs import LogitsOnly
from lumiscope.requirement import Requirement


@inference_backend(
    "onnxruntime", title="ONNX Runtime", requires=Requirement("onnxruntime", "onnxruntime", extra="onnx"), rank=2
)
def run_onnxruntime(module: torch.nn.Module, example: torch.Tensor, numbers: Numbers) -> Runner:
    """Export the module with a batch of any size, and run it with as many threads as torch has."""
    import onnxruntime

    file = io.BytesIO()
    with borrowed(module), torch.no_grad(), warnings.catch_warnings(), _silent_stdout():
        warnings.simplefilter("ignore")  # torch deprecates this exporter, which needs no further package
        torch.onnx.export(
            LogitsOnly(module).eval(),
            (example,),
            file,  # type: ignore[arg-type]  # torch writes to files that are open, too
            dynamo=False,
            input_names=["inputs"],
            dynamic_axes={"inputs": {0: "batch"}},
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])

    def run(inputs: torch.Tensor) -> torch.Tensor:
        rows = inputs.detach().float().contiguous().numpy()
        return torch.from_numpy(np.asarray(session.run(None, {"inputs": rows})[0], np.float32))

    return run


@contextmanager
def _silent_stdout() -> Iterator[None]:
    """Nothing to the process's stdout, which is for data.

    torch's exporter prints there, below Python, the whole graph of a network that it cannot export.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
