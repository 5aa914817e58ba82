"""What half precision does to maps: alone, and as `--precision fast` uses it, beside maps made in float32.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/half_precision.py

The real MobileNetV2 and the ten pictures beside the project. Prints a Markdown table: seconds of an image, and the
largest difference of any pixel of the maps in [0, 1], the middle picture's and the worst one's.
"""

from __future__ import annotations

import time

import numpy as np

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.images import View, open_images
from lumiscope.models import Choice, TorchModel
from lumiscope.types import SaliencyMap, Target
from peers import LIME, SHARED, machine, real_model

WAYS = {"half alone": ("fast", "half"), "fast": ("fast", "float32")}


def main() -> None:
    """Two rows a method."""
    model = real_model()
    views = [model.view(item) for item in open_images(SHARED / "imagenet10" / "labels.csv")]
    targets = PreparedBatch(model, views).targets("predicted", [None] * len(views))
    columns = ("method", "way", "seconds", "float32, s", "difference, median", "difference, largest")
    print(f"{machine()}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in ("gradcam", "scorecam", "lime"):
        expected, float32 = explain(model, views, targets, name, ("exact", "float32"))
        for way, numbers in WAYS.items():
            maps, seconds = explain(model, views, targets, name, numbers)
            off = [
                np.abs(saliency.display() - other.display()).max()
                for saliency, other in zip(maps, expected, strict=True)
            ]
            cells = (name, way, f"{seconds:.3f}", f"{float32:.3f}", f"{np.median(off):.3f}", f"{max(off):.3f}")
            print(f"| {' | '.join(cells)} |", flush=True)


def explain(
    model: TorchModel, views: list[View], targets: list[Target], name: str, numbers: tuple[str, str]
) -> tuple[list[SaliencyMap], float]:
    """One map a picture, and the mean seconds of one, without preparation."""
    method = METHODS[name]
    session = model.session(Choice("openvino", "openvino", *numbers, 0.0, ""))  # type: ignore[arg-type]
    session.logits(model.inputs(views[:1]))
    layer = model.target_layer if method.needs_layer else None
    if layer:
        session.split(layer)
    if session.rough:
        session.rough(model.inputs(views[:1]))
    started = time.perf_counter()
    maps = []
    for view, target in zip(views, targets, strict=True):
        prepared = PreparedBatch(model, [view], layer=layer, session=session)
        maps += method.explain(prepared, [target], method.options(LIME if name == "lime" else None))
    return maps, (time.perf_counter() - started) / len(views)


if __name__ == "__main__":
    main()
