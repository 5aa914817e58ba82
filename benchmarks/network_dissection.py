"""What Network Dissection finds in the two classifiers of the world, what it costs, and what chance gives.

    python benchmarks/network_dissection.py [--images 1000]

Prints the tables of docs/network-dissection.md. Each case runs in a process of its own: peak memory is its own, too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumiscope.dissection import NetworkDissection

MODELS = ("world:objects", "world:scenes")
LAYERS = "auto:6"


def main() -> None:
    """Run every case and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--case", nargs=3, metavar=("MODEL", "IMAGES", "FORMULAS"), help="one case, as JSON")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(case(given.case[0], int(given.case[1]), given.case[2] == "yes")))
        return
    with_formulas = {model: apart(model, given.images, "yes") for model in MODELS}
    print(f"{given.images} images\n")
    columns = "layer | units | detectors | unique | colour | texture | part | object | scene | q ≤ 0.05 | formulas"
    print(f"| model | {columns} |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for model in MODELS:
        for row in with_formulas[model]["layers"]:
            print(f"| `{model}` | " + " | ".join(str(value) for value in row.values()) + " |")
    print("\n| model | images | formulas | seconds | the model alone, twice, s | peak memory, MB |")
    print("|---|---|---|---|---|---|")
    fewer = given.images // 4
    cases = {(model, given.images, "yes"): with_formulas[model] for model in MODELS}
    cases |= {(MODELS[0], count, "no"): apart(MODELS[0], count, "no") for count in (fewer, given.images)}
    for (model, images, formulas), run in cases.items():
        print(
            f"| `{model}` | {images} | {formulas} | {run['seconds']:.1f} | {run['model']:.1f} | {run['memory']:.0f} |"
        )


def apart(model: str, images: int, formulas: str) -> Mapping[str, Any]:
    """One case in its own process."""
    command = [sys.executable, __file__, "--case", model, str(images), formulas]
    facts: Mapping[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return facts


def case(spec: str, count: int, formulas: bool) -> Mapping[str, Any]:
    """Dissect one model, its pictures drawn before; seconds, and those of two passes that only take the maps."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does
    from lumiscope.attribution import look_inside
    from lumiscope.dissection import map_probe
    from lumiscope.images import open_images, prefetch
    from lumiscope.models import load_model
    from lumiscope.study.stages.network_dissection import network_dissection
    from lumiscope.study.stages.probe_images import probe_images

    model, images = look_inside(load_model(spec), "this benchmark"), open_images(f"world:{count}")
    names = model.select_layers([LAYERS])
    layer_probes = {name: map_probe(model, name) for name in names}
    probes = {name: probe for name, probe in layer_probes.items() if probe is not None}
    prefetch(images)
    started = time.perf_counter()
    for _ in range(2):
        for _ in probe_images(model, images, probes):
            pass
    alone = time.perf_counter() - started
    started = time.perf_counter()
    layers = network_dissection(model, images, layers=names, compositions=formulas)
    rest = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"layers": [row_of(layer) for layer in layers], "seconds": rest, "model": alone, "memory": memory}


def row_of(layer: NetworkDissection) -> Mapping[str, str | int]:
    """The counts of one layer."""
    unique = [layer.categories[concept] for concept in layer.unique_detectors]
    kinds = {kind: unique.count(kind) for kind in ("colour", "texture", "part", "object", "scene")}
    return {
        "layer": f"`{layer.layer}`",
        "units": len(layer),
        "detectors": int(layer.detector.sum()),
        "unique": len(unique),
        **kinds,
        "significant": int((layer.q_value[layer.detector] <= 0.05).sum()),
        "formulas": sum(composition is not None for composition in layer.compositions),
    }


if __name__ == "__main__":
    main()
