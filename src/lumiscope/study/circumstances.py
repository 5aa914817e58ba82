"""The circumstances of a run, as its manifest tells them."""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from lumiscope.study.config import Study

PACKAGES = (
    "lumiscope", "torch", "torchvision", "timm", "openvino", "onnxruntime", "open_clip_torch", "numpy", "scipy",
    "scikit-image", "Pillow",
)  # fmt: skip
OPTIONAL = {"onnxruntime"}


def circumstances(study: Study, command: str | None, started: float) -> dict[str, Any]:
    """What a manifest says of how a run came about: when, on which machine, with which versions.

    `command`: how to make the run again. `started`: seconds since the epoch. What the run itself finds (methods,
    timings, notes) is there as empty as it is before anything ran.
    """
    import torch

    def moment(seconds: float) -> str:
        return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")

    return {
        "name": study.run_name,
        "description": study.description,
        "lumiscope": metadata.version("lumiscope"),
        "command": command,
        "started": moment(started),
        "finished": moment(time.time()),
        "seconds": round(time.time() - started, 3),
        "seed": study.seed,
        "target": study.target,
        "scorer": study.scorer,
        "similarity": study.similarity if study.probe else None,
        "similarity_notes": [],
        "concepts": None,
        "methods": {},
        "timings": [],
        "machine": {
            "system": platform.platform(terse=True),
            "python": platform.python_version(),
            "processor": _processor(),
            "cores": torch.multiprocessing.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "versions": dict(_versions()),
    }


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
