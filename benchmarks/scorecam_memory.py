"""Peak resident memory of Score-CAM on a ResNet-50, over what the process holds once the model has run.

    python benchmarks/scorecam_memory.py [BACKEND] [--channels N]

Score-CAM needs a masked input for each of 2,048 channels, 1.2 GB if all were held at once. `--channels`: keep only the
first N channels alive, which takes less time and shows the same peak.
"""

from __future__ import annotations

import argparse
import resource

import numpy as np

from lumiscope.attribution import METHODS, PreparedBatch, look_inside
from lumiscope.models import load_model
from memory import resident


def main() -> None:
    """Print a line of megabytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backend", nargs="?", default="auto")
    parser.add_argument("--channels", type=int)
    arguments = parser.parse_args()
    model = look_inside(load_model("timm:resnet50", weights="random"), "this benchmark")
    pixels = np.random.default_rng(0).integers(0, 256, (*model.geometry.input_size, 3), np.uint8)
    views = [model.geometry.view(pixels, "noise")]
    model.predict(views)
    before = resident()
    choice = model.choose_backend(arguments.backend, "exact", views)
    method = METHODS["scorecam"]
    prepared = PreparedBatch(model, views, layer=model.target_layer, session=model.session(choice))
    if arguments.channels is not None:
        prepared.at(model.target_layer).cut.activations[:, arguments.channels :] = 0
    method.explain(prepared, prepared.targets("predicted", [None]), method.options())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{choice.backend}: {before:.0f} MB with the model, at most {peak:.0f} MB after: {peak - before:.0f} MB more")


if __name__ == "__main__":
    main()
