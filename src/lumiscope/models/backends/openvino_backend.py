"""OpenVINO: the fastest way on CPUs (measured in docs/benchmarks.md); float32, or bfloat16 where the CPU has it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from lumiscope.models.backends.registry import Numbers, Runner, inference_backend
from lumiscope.models.guard import borrowed
from lumiscope.models.outputs import LogitsOnly


@inference_backend("openvino", title="OpenVINO", requires="openvino", half=True)
def run_openvino(module: torch.nn.Module, example: torch.Tensor, numbers: Numbers) -> Runner:
    """Convert the module and compile it for batches of the example's shape; smaller ones are filled up."""
    with _silent_openvino() as openvino, warnings.catch_warnings(), borrowed(module), torch.no_grad():
        warnings.simplefilter("ignore")  # torch deprecates the tracing by which OpenVINO reads a module
        model = openvino.convert_model(LogitsOnly(module).eval(), example_input=example)
        model.reshape(list(example.shape))
        hints = {
            "INFERENCE_PRECISION_HINT": "bf16" if numbers == "half" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        request = openvino.Core().compile_model(model, "CPU", hints).create_infer_request()
    size = len(example)

    def run(inputs: torch.Tensor) -> torch.Tensor:
        rows = inputs.detach().float().contiguous().numpy()
        count = len(rows)
        if count < size:
            rows = np.concatenate([rows, np.zeros((size - count, *rows.shape[1:]), np.float32)])
        logits = request.infer(rows, share_inputs=True, share_outputs=True)[0]
        return torch.from_numpy(logits[:count].astype(np.float32, copy=True))

    return run


@contextmanager
def _silent_openvino() -> Iterator[Any]:
    """OpenVINO without its telemetry, which would send an event as soon as it is imported."""
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # so that its import fails, and OpenVINO takes its own stub
    try:
        import openvino

        yield openvino
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
