"""Peak resident memory of dissection against the number of probing images: it should stay the same.

    python benchmarks/dissection_memory.py [--counts 5000 50000] [--input-size 64] [--whole]

Pooled activations of five layers of a ResNet-50 with random weights, in one pass, into a store on disk and out of it
again layer by layer. The images are JPEG files of coloured noise, opened as a user's are. Each count has a process of
its own, of which the whole peak is taken (VmHWM), torch and the model included. `--whole`: all of `dissect`, with a
table of scores for 20 words, instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory import peak, resident

SIDE = 64
WORDS = 20
LAYERS = "auto:5"


def main() -> None:
    """Print a line for each count, and the ratio of the largest peak to the smallest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[5000, 50000])
    parser.add_argument("--input-size", type=int, default=64)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the images are, or will be; default: a temporary folder")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        run(arguments.folder, arguments.child, arguments.input_size, arguments.whole)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        write_images(folder, arguments.counts)
        peaks = [measured(folder, count, arguments.input_size, arguments.whole) for count in arguments.counts]
    print(f"ratio of the largest peak to the smallest: {max(peaks) / min(peaks):.3f}")


def write_images(folder: Path, counts: list[int]) -> None:
    """As many noise images as are asked for, and for each count a list of them and a table of scores."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for index in range(max(counts)):
        path = folder / f"{index:06}.jpg"
        if not path.exists():
            pixels = np.random.default_rng(index).integers(0, 256, (SIDE // 8, SIDE // 8, 3), np.uint8)
            Image.fromarray(pixels).resize((SIDE, SIDE)).save(path)
    for count in counts:
        names = [f"{index:06}.jpg" for index in range(count)]
        (folder / f"{count}.csv").write_text("image\n" + "\n".join(names) + "\n")
        scores = np.random.default_rng(0).random((count, WORDS), np.float32)
        words = [f"word{number}" for number in range(WORDS)]
        np.savez(folder / f"{count}.npz", scores=scores, images=np.array(names), concepts=np.array(words))


def measured(folder: Path, count: int, input_size: int, whole: bool) -> float:
    """Megabytes at the peak of a process that handles `count` images."""
    command = [sys.executable, __file__, "--folder", str(folder), "--child", str(count)]
    command += ["--input-size", str(input_size), *(["--whole"] if whole else [])]
    started = time.perf_counter()
    facts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    seconds = time.perf_counter() - started
    print(f"{count} images: peak {facts['peak']:.0f} MB, {facts['before']:.0f} MB before; {seconds:.0f} s", flush=True)
    return float(facts["peak"])


def run(folder: Path, count: int, input_size: int, whole: bool) -> None:
    """Handle `count` images and print how many megabytes this process held before and at most."""
    from lumiscope.attribution import look_inside
    from lumiscope.images import open_images
    from lumiscope.models import load_model
    from lumiscope.store import Store

    model = look_inside(load_model("timm:resnet50", weights="random", input_size=input_size), "this benchmark")
    layers = model.select_layers([LAYERS])
    before = resident()
    images = open_images(str(folder / f"{count}.csv"))
    with tempfile.TemporaryDirectory(dir=folder) as root:
        store = Store(Path(root))
        if whole:
            from lumiscope.study import dissect

            dissect(model, images, layers=layers, scorer=f"table:{folder / f'{count}.npz'}", store=store)
        else:
            from lumiscope.memo import Memo
            from lumiscope.study.stages.stored_activations import SHARD, StoredActivations

            memo = Memo(store)
            for start in range(0, len(images), SHARD):
                StoredActivations(model, layers, "mean", images[start : start + SHARD], memo).compute()
            activations = StoredActivations(model, layers, "mean", images, memo, memo.folder)
            for columns in activations.values():
                for start in range(0, columns.shape[1], 64):
                    columns[:, start : start + 64].sum()
    print(json.dumps({"before": before, "peak": peak()}))


if __name__ == "__main__":
    main()
