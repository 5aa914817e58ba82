"""The circumstances of a run, as its manifest tells them."""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from lumiscope.runs import Machine, Manifest
from lumiscope.study.config import Study

PACKAGES = (
    "lumiscope", "torch", "torchvision", "timm", "openvino", "onnxruntime", "open_clip_torch", "numpy", "scipy",
    "scikit-image", "Pillow", "tifffile",
)  # fmt: skip
OPTIONAL = {"onnxruntime"}


def manifest_of(study: Study, command: str | None, started: float, facts: Mapping[str, Any]) -> Manifest:
    """What is to be said of how a run came about: when, on which machine, with which versions, and what stages found.

    `command`: how to make the run again. `started`: seconds since the epoch. `facts`: fields of the manifest.
    """
    import torch

    def moment(seconds: float) -> str:
        return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")

    finished = time.time()
    machine = Machine(
        system=platform.platform(terse=True),
        python=platform.python_version(),
        processor=_processor(),
        cores=torch.multiprocessing.cpu_count(),
        threads=torch.get_num_threads(),
    )
    return Manifest(
        name=study.run_name,
        description=study.run.description,
        lumiscope=metadata.version("lumiscope"),
        command=command,
        started=moment(started),
        finished=moment(finished),
        seconds=round(finished - started, 3),
        seed=study.run.seed,
        target=study.explain.target,
        machine=machine,
        versions=dict(_versions()),
        scorer=study.dissect.scorer,
        **facts,
    )


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            if name not in OPTIONAL:
                raise


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
