"""Do the same studies give the same tables and maps, byte for byte, as they did at another revision?

    python tools/same_results.py main                # the built-in study, every method, a transformer, real pictures
    python tools/same_results.py main --quick        # for work in progress: about a minute
    python tools/same_results.py main --allow 'units.score,maps.lime.*'

The studies run at REV, in a temporary worktree, and in the working tree as it lies there (also what is not committed),
on this machine and with as many threads, each with a store of its own. REV's results are kept, so that the second time
costs one run only. Ends with 1 where anything differs that is not allowed:

- `--allow` lists what may differ (TABLE.COLUMN; TABLE.* is all of a table; maps are the tables maps.METHOD with the
  columns values, segments, coefficients, …; the CSV files of a run are files.NAME).
- tools/moved_columns.txt lists what may be on one side only. Its values are not compared, its comments say why.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from result_comparison import Difference, compare_arrays, compare_files, compare_tables

ROOT = Path(__file__).resolve().parents[1]
SHARED = (ROOT.parent / "shared" / "data").resolve()
MOVED = Path(__file__).with_name("moved_columns.txt")
CACHE = Path(tempfile.gettempdir()) / "lumiscope-same-results"
SOME_WERE_SKIPPED = 3

WORLD = [
    *("--scorer", "world:clip", "--concepts", "world", "--similarity", "wpmi"),
    *("--model", "world:objects", "--model", "world:scenes"),
]
FEW_SAMPLES = [
    f"--option={option}" for option in ("lime.num_samples=200", "rise.num_masks=200", "kernelshap.num_samples=200")
]
QUICK = {
    "quick": ["--images", "world:4", "--probe", "world:200@1", *WORLD],
    "methods": ["--images", "world:2", "--model", "world:objects", "--methods", "*", *FEW_SAMPLES],
}
FULL = {
    "world": [],
    "methods": QUICK["methods"],
    "transformer": [
        *("--images", "world:1", "--model", "timm:vit_tiny_patch16_224", "--weights", "random"),
        *("--methods", "*", *FEW_SAMPLES),
    ],
}
REAL = {
    "real": [
        *("--images", str(SHARED / "imagenet10" / "labels.csv")),
        *("--model", "timm:mobilenetv2_100", "--model-option", "pad_type=same"),
        *("--weights", str(SHARED / "models" / "mobilenetv2_imagenet.safetensors")),
        *("--classes", str(SHARED / "models" / "imagenet_classes.txt")),
        *("--mean", "0.5", "--std", "0.5", "--geometry", "squash", "--option=lime.num_samples=200"),
        *("--probe", str(SHARED / "imagenet1k_sample"), "--layers", "blocks.6"),
        *("--scorer", f"table:{SHARED / 'concepts' / 'imagenet1k_sample_scores_3k.npz'}"),
    ]
}


@dataclass(frozen=True)
class Results:
    """What one tree made of one study; the folder holds `tables`, `maps.npz` and `files`."""

    folder: Path

    @property
    def tables(self) -> dict[str, Path]:
        """Table -> its Parquet file."""
        return {path.stem: path for path in sorted((self.folder / "tables").glob("*.parquet"))}

    @property
    def maps(self) -> dict[str, NDArray[np.generic]]:
        """METHOD/FIELD/MODEL/IMAGE -> the array."""
        with np.load(self.folder / "maps.npz", allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    @property
    def files(self) -> dict[str, bytes]:
        """The CSV files of the run."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "files").glob("*"))}


def main() -> None:
    """Run the studies in both trees, print what differs, and end with 1 if anything may not."""
    arguments = parsed_arguments()
    commit = git("rev-parse", "--verify", f"{arguments.rev}^{{commit}}")
    studies = QUICK if arguments.quick else {**FULL, **(REAL if SHARED.is_dir() else {})}
    moved = [line for text in MOVED.read_text().splitlines() if (line := text.split("#")[0].strip())]
    forbidden = 0
    for name, flags in studies.items():
        before = cached_results(commit, name, flags, arguments.threads, arguments.cache)
        with tempfile.TemporaryDirectory() as folder:
            after = make_results(ROOT, name, flags, arguments.threads, Path(folder))
            forbidden += report(name, before, after, allowed=arguments.allow, moved=moved)
    print(f"{forbidden} differences that are not allowed" if forbidden else f"the same as {commit[:12]}")
    sys.exit(1 if forbidden else 0)


def parsed_arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rev", metavar="REV", help="a revision that git knows")
    parser.add_argument("--quick", action="store_true", help="two small studies instead of all")
    parser.add_argument(
        "--allow", type=lambda text: text.split(","), default=[], metavar="TABLE.COLUMN,…", help="what may differ"
    )
    parser.add_argument("--threads", type=int, default=1, help="of each run; bytes depend on it (default: 1)")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"where REV's results are kept (default: {CACHE})")
    return parser.parse_args()


def report(name: str, before: Results, after: Results, *, allowed: Sequence[str], moved: Sequence[str]) -> int:
    """Print a line for each table that is the same and for each difference; return how many are not allowed."""
    forbidden = 0
    for table, differences in differences_by_table(before, after).items():
        if not differences:
            print(f"{name}  {table}: same")
        for difference in differences:
            listed = difference.is_listed(allowed) or (difference.kind != "changed" and difference.is_listed(moved))
            forbidden += not listed
            print(f"{name}  {difference.name}: {difference.text}{' (allowed)' if listed else ''}")
    return forbidden


def differences_by_table(before: Results, after: Results) -> dict[str, list[Difference]]:
    """Table, `maps` or `files` -> what differs there."""
    old, new = before.tables, after.tables
    tables = {
        name: compare_tables(name, *(pq.read_table(side[name]) if name in side else None for side in (old, new)))
        for name in sorted({*old, *new})
    }
    return {
        **tables,
        "maps": compare_arrays(before.maps, after.maps),
        "files": compare_files(before.files, after.files),
    }


def cached_results(commit: str, name: str, flags: Sequence[str], threads: int, cache: Path) -> Results:
    """What `commit` makes of a study: made once under the same circumstances."""
    circumstances = [
        flags,
        threads,
        processor(),
        sorted(f"{package.name} {package.version}" for package in metadata.distributions()),
    ]
    digest = hashlib.sha256(json.dumps(circumstances).encode()).hexdigest()[:12]
    folder = cache / f"{commit}-{name}-{digest}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as unfinished, worktree(commit) as tree:
            make_results(tree, name, flags, threads, Path(unfinished) / "results")
            # Another process may have made the same meanwhile.
            if not folder.is_dir():
                (Path(unfinished) / "results").rename(folder)
    return Results(folder)


def make_results(tree: Path, name: str, flags: Sequence[str], threads: int, folder: Path) -> Results:
    """Run a study with the code in `tree` and a fresh store, and keep tables, maps and CSV files in `folder`."""
    print(f"{name}: running {tree}", file=sys.stderr)
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as place:
        code = "import lumiscope; print(lumiscope.__file__)"
        home = Path(python(["-c", code], environment, place).strip())
        if tree not in home.parents:
            sys.exit(f"expected the code in {tree} to run; Python takes {home}")
        python(["-m", "lumiscope", "run", *flags, "--name", name], environment, place)
        run = Path(place) / "runs" / name
        shutil.copytree(run / "tables", folder / "tables")
        if (run / "clip-dissect").is_dir():
            shutil.copytree(run / "clip-dissect", folder / "files")
        dump = Path(__file__).with_name("dump_maps.py")
        python([str(dump), str(run), str(folder / "maps.npz")], environment, place)
    return Results(folder)


def python(arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> str:
    """The standard output of a Python process; where it fails, what it said on the other one, and the end."""
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, SOME_WERE_SKIPPED):
        sys.exit(
            f"python {' '.join(arguments)} in {environment['PYTHONPATH']} ended with {done.returncode}:\n{done.stderr}"
        )
    return done.stdout


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A temporary checkout of `commit`."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        git("worktree", "add", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", str(tree))


def git(*arguments: str) -> str:
    """What git prints; where it fails, what it says, and the end."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return done.stdout.strip()


def processor() -> str:
    """The processor's model, which the bytes depend on; "" where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
