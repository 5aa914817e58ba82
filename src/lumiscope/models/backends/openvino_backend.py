"""OpenVINO: the fastest way on CPUs (measured in docs/benchmarks.md); float32, or bfloat16 where the CPU has it."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.models.backends.registry import Numbers, Runner, inference_backend
from lumiscope.models.guard import borrowed
from lumiscope.models.outputs import LogitsOnly
from lumiscope.requirement import Requirement

STREAMS = 2  # two half batches side by side, each on half of the threads, take less time than one batch on all


@inference_backend("openvino", title="OpenVINO", requires=Requirement("openvino", "openvino"), rank=1, half=True)
def run_openvino(module: torch.nn.Module, example: torch.Tensor, numbers: Numbers) -> Runner:
    """Convert the module and compile it for batches of the example's size, in two streams; short ones are filled up."""
    threads = torch.get_num_threads()
    streams = min(STREAMS, threads)
    size = -(-len(example) // streams)
    with (
        _silent_openvino() as openvino,
        _root_logger_kept(),
        warnings.catch_warnings(),
        borrowed(module),
        torch.no_grad(),
    ):
        warnings.simplefilter("ignore")  # torch deprecates the tracing by which OpenVINO reads a module
        model = openvino.convert_model(LogitsOnly(module).eval(), example_input=example)
        model.reshape([size, *example.shape[1:]])
        hints = {
            "INFERENCE_PRECISION_HINT": "bf16" if numbers == "half" else "f32",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
        }
        compiled = openvino.Core().compile_model(model, "CPU", hints)
        requests = [compiled.create_infer_request() for _ in range(streams)]

    def run(inputs: torch.Tensor) -> torch.Tensor:
        rows = inputs.detach().float().contiguous().numpy()
        results: list[NDArray[np.float32]] = []
        for at in range(0, len(rows), size * streams):
            parts = [rows[start : start + size] for start in range(at, min(at + size * streams, len(rows)), size)]
            busy = [(request, part, _filled(part, size)) for request, part in zip(requests, parts, strict=False)]
            for request, _, filled in busy:
                request.start_async({0: filled}, share_inputs=True)
            for request, part, _ in busy:
                request.wait()
                results.append(request.get_output_tensor(0).data[: len(part)].astype(np.float32, copy=True))
        return torch.from_numpy(np.concatenate(results))

    return run


def _filled(rows: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """`rows`, with rows of zeros after them so that there are `size`."""
    if len(rows) == size:
        return rows
    return np.concatenate([rows, np.zeros((size - len(rows), *rows.shape[1:]), np.float32)])


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Keep the root logger: where a conversion fails, OpenVINO leaves it silent for all that is not an error."""
    root = logging.getLogger()
    level, filters, handlers = root.level, [*root.filters], [*root.handlers]
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters[:], root.handlers[:] = filters, handlers


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
