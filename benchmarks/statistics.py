"""How often do intervals hold the truth? Coverage of a nominal 95 % on data like those of images.

    python benchmarks/statistics.py
    python benchmarks/statistics.py --trials 2000 --jobs 2

Prints Markdown: coverage in %, and for means beside it that of the percentile bootstrap, which lumiscope does not use.
"""

from __future__ import annotations

import sys


def hand_over() -> None:
    """Give Python's own module of this name to whoever imports it while this folder is first on the path."""
    import importlib.util
    import sysconfig
    from pathlib import Path

    spec = importlib.util.spec_from_file_location(__name__, Path(sysconfig.get_path("stdlib")) / "statistics.py")
    if spec is None or spec.loader is None:
        raise ImportError("Python's own statistics cannot be found")
    sys.modules[__name__] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[__name__])


def main() -> None:
    """Simulate, and print both tables."""
    import argparse

    from interval_coverage import print_tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    print_tables(arguments.trials, arguments.jobs)


if __name__ == "__main__":
    main()
else:
    hand_over()
