"""How often does each interval of `lumiscope.statistics` hold the truth? Wanted: 93 to 97 % of the nominal 95 %.

    python benchmarks/statistics.py
    python benchmarks/statistics.py --trials 5000 --jobs 8

Draws samples of n images from distributions of which the truth is known, gives each to the interval, and counts
(`interval_coverage.py`). Prints one Markdown table: coverage in % ± its standard error, bold where more than two of
those are between it and 93 to 97 %; beside `mean_interval`, in brackets, the percentile bootstrap of the same samples.
"""

from __future__ import annotations

import sys


def hand_over() -> None:
    """Give Python's own module of this name to libraries that import it while this folder is on their path."""
    import importlib.util
    import sysconfig
    from pathlib import Path

    spec = importlib.util.spec_from_file_location(__name__, Path(sysconfig.get_path("stdlib")) / "statistics.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[__name__] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])


def main() -> None:
    """Print the table."""
    import argparse
    import itertools
    import multiprocessing
    import os
    import time

    from interval_coverage import ROWS, SIZES, simulated

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1_000, help="samples of each kind and size (%(default)s)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes (%(default)s)")
    given = parser.parse_args()
    started = time.perf_counter()
    jobs = [(row, images, given.trials) for row, images in itertools.product(range(len(ROWS)), SIZES)]
    with multiprocessing.Pool(given.jobs) as pool:
        cells = iter(pool.map(simulated, jobs, chunksize=1))
    print(f"{given.trials} samples each, {time.perf_counter() - started:.0f} s with {given.jobs} processes\n")
    print("| interval | what is drawn |", *(f"n = {images} |" for images in SIZES))
    print("|---|---|" + "---|" * len(SIZES))
    for row in ROWS:
        texts = []
        for share, *bootstrap in itertools.islice(cells, len(SIZES)):
            beside = "".join(f" ({100 * other.held / max(other.given, 1):.1f})" for other in bootstrap)
            texts.append(f"{share}{beside}")
        print(f"| `{row.interval}` | {row.drawn} |", *(f"{text} |" for text in texts))


if __name__ == "statistics":
    hand_over()
elif __name__ == "__main__":
    main()
