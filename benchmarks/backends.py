"""Milliseconds of one forward pass, by backend and numbers, and how far the logits are from torch's in float32.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/backends.py [SPEC ...]

Random weights unless a spec is `real`, the classifier beside the project. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from lumiscope.attribution import look_inside
from lumiscope.images import open_images
from lumiscope.models import BACKENDS, Choice, TorchModel, available_backends, load_model
from peers import SHARED, machine, real_model

PASSES = 6


def main() -> None:
    """One row a network, backend and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", default=["real", "timm:resnet50"])
    columns = ("network", "backend", "numbers", "ms a view", "logits differ by", "preparation, s")
    print(f"{machine()}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for spec in parser.parse_args().specs:
        model = real_model() if spec == "real" else look_inside(load_model(spec, weights="random"), "this benchmark")
        for backend in reversed(available_backends()):
            for numbers in ("float32", "half") if BACKENDS[backend].half else ("float32",):
                print(f"| {spec} | {backend} | {numbers} | {measure(model, backend, numbers)} |", flush=True)


def measure(model: TorchModel, backend: str, numbers: str) -> str:
    """Three cells: milliseconds, difference as a share of the largest logit, seconds of preparation."""
    pictures = open_images(SHARED / "imagenet10" / "labels.csv") if SHARED.exists() else open_images("world:10")
    views = [model.view(item) for item in pictures]
    started = time.perf_counter()
    session = model.session(Choice(backend, backend, "exact", numbers, 0.0, ""))  # type: ignore[arg-type]
    inputs = model.inputs(views)[np.arange(session.batch_size) % len(views)].contiguous()
    came = session.logits(inputs)
    preparation = time.perf_counter() - started
    expected = model.logits(inputs)
    seconds = []
    for _ in range(PASSES):
        started = time.perf_counter()
        session.logits(inputs)
        seconds.append(time.perf_counter() - started)
    difference = float((came - expected).abs().max() / expected.abs().max())
    return f"{1e3 * min(seconds) / len(inputs):.1f} | {difference:.0e} | {preparation:.1f}"


if __name__ == "__main__":
    main()
