"""Whole reports on planted studies: how many contain a false sentence, and what is found of what is there?

    python benchmarks/findings.py
    python benchmarks/findings.py --studies 100 --planted 10 --jobs 2

Null studies have 3 to 300 images, with unrelated maps or methods that follow the object equally well, and images alone
or four to a class; what is planted for power is a medium effect with 100 images. See `lumiscope.testing.planted_study`.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from lumiscope.statistics import wilson_interval
from lumiscope.testing import EFFECTS, planted_study

IMAGES = (3, 6, 10, 20, 30, 100, 300)
ALL = 0  # stands for all numbers of images
FOR_POWER = 100  # images


@dataclass(frozen=True)
class Case:
    """One study. `effects`: of `EFFECTS`."""

    seed: int
    images: int
    effects: tuple[str, ...]
    clustered: bool


def main() -> None:
    """Simulate, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="null studies")
    parser.add_argument("--planted", type=int, default=100, help="studies for each effect, at least 1")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    started = time.perf_counter()
    kinds = itertools.cycle(itertools.product(((), ("related",)), (False, True), IMAGES))
    null = [Case(seed, images, effects, clustered) for seed, (effects, clustered, images) in
            zip(range(arguments.studies), kinds, strict=False)]  # fmt: skip
    with ProcessPoolExecutor(arguments.jobs) as pool:
        print_null(zip(null, pool.map(false_findings, null, chunksize=4), strict=True))
        effects = [effect for effect in EFFECTS if effect != "related"] * arguments.planted
        planted = [Case(seed, FOR_POWER, ("related", effect), False) for seed, effect in enumerate(effects, 10**6)]
        print_power(zip(planted, pool.map(supported, planted, chunksize=2), strict=True))
    print(f"\n{time.perf_counter() - started:.0f} s with {arguments.jobs} processes.")


def false_findings(case: Case) -> list[str]:
    """The kinds of the false sentences of a report."""
    study = planted_study(case.seed, case.images, case.effects, clustered=case.clustered)
    return [row.finding for row in study.false_sentences]


def supported(case: Case) -> tuple[set[str], bool]:
    """What a report calls supported that is true, and whether it contains a false sentence."""
    study = planted_study(case.seed, case.images, case.effects, clustered=case.clustered)
    return study.supported, bool(study.false_sentences)


def print_null(results: Iterable[tuple[Case, list[str]]]) -> None:
    """How many reports contain a false sentence, of how many, by the number of images."""
    studies, false, kinds = Counter[tuple[str, int]](), Counter[tuple[str, int]](), Counter[str]()
    for case, false_kinds in results:
        maps = "follow the object" if case.effects else "unrelated"
        row = f"{maps}, {'four images a class' if case.clustered else 'classes alone'}"
        for key in itertools.product((row, "all"), (case.images, ALL)):
            studies[key] += 1
            false[key] += bool(false_kinds)
        kinds.update(set(false_kinds))
    print(f"| maps | {' | '.join(map(str, IMAGES))} | all | 95 % interval |\n| --- |{' --: |' * (len(IMAGES) + 2)}")
    for maps in (*dict.fromkeys(maps for maps, _ in studies if maps != "all"), "all"):
        counts = [f"{false[maps, images]} of {studies[maps, images]}" for images in (*IMAGES, ALL)]
        low, high = wilson_interval(false[maps, ALL], studies[maps, ALL])
        print(f"| {maps} | {' | '.join(counts)} | {low:.1%} to {high:.1%} |")
    told = ", ".join(f"{name} {count}" for name, count in kinds.most_common()) or "none"
    print(f"\nFalse sentences by kind: {told}.\n")


def print_power(results: Iterable[tuple[Case, tuple[set[str], bool]]]) -> None:
    """How often what is planted is found by its name, and how many of these reports contain a false sentence."""
    studies, hits, false = Counter[str](), Counter[tuple[str, str]](), 0
    for case, (true, is_false) in results:
        effect = case.effects[-1]
        studies[effect] += 1
        false += is_false
        hits.update((effect, name) for name in {**EFFECTS[effect], **EFFECTS["related"]} if name in true)
    print("| planted | found as | studies | found |\n| --- | --- | --: | --: |")
    for effect, name in sorted((planted, name) for planted in studies for name in EFFECTS[planted]):
        print(f"| {effect} | {name} | {studies[effect]} | {hits[effect, name] / studies[effect]:.0%} |")
    total = sum(studies.values())
    for name in sorted(EFFECTS["related"]):
        share = sum(hits[effect, name] for effect in studies) / total
        print(f"| related | {name} | {total} | {share:.0%} |")
    print(f"\n{false} of {total} of these reports contain a false sentence.")


if __name__ == "__main__":
    main()
