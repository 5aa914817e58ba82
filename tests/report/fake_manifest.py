"""The manifest of the fake run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fake_units import CONCEPTS, PROBING_IMAGES

from lumiscope.concepts import CATEGORIES
from lumiscope.runs import ConceptFacts, Machine, Manifest, MethodFacts, Source, Timing


def fake_manifest(
    explained: bool, dissected: bool, *, models: Sequence[str], methods: Mapping[str, str], rules: Mapping[str, str]
) -> Manifest:
    """How the fake run was made. `methods`: name -> title; `rules`: name -> mask rule."""
    explanation = {
        "images": Source(source="photos", count=4, notes=("listed more than once: disc_02.png",)),
        "methods": {name: _method(title, rules[name]) for name, title in methods.items()},
        "timings": tuple(
            Timing(model=model, method=name, images=4, computed=3, seconds_each=0.1834)
            for model in models
            for name in methods
        ),
        "skipped": 2,
    }
    dissection = {
        "probe": Source(source="world:probe", count=len(PROBING_IMAGES)),
        "scorer": "world:clip",
        "similarity": "soft_wpmi",
        "similarity_notes": ("soft WPMI wants at least 100 probing images; there are 41",),
        "concepts": ConceptFacts(
            name="small",
            count=len(CONCEPTS),
            other_share=1 / len(CONCEPTS),
            categories={category: list(CONCEPTS.values()).count(category) for category in CATEGORIES},
        ),
    }
    return Manifest(
        name="fake",
        lumiscope="0.1.0",
        command="lumiscope run --images photos --model world:objects --model world:shortcut --seed 7",
        started="2026-11-22T23:40:00+00:00",
        finished="2026-11-22T23:48:31+00:00",
        seconds=511.2,
        seed=7,
        target="predicted",
        machine=Machine(system="Linux-6.1", python="3.11.4", processor="AMD EPYC", cores=4, threads=2),
        versions={"torch": "2.5.1", "timm": "1.0.11", "numpy": "2.1.0"},
        fdr=0.05,
        min_stability=0.5,
        **(explanation if explained else {}),
        **(dissection if dissected else {}),
    )


def _method(title: str, rule: str) -> MethodFacts:
    return MethodFacts(
        title=title,
        citation="Somebody et al. 2017",
        passes="1 forward, 1 backward",
        backend="torch",
        options={"num_samples": 1000, "layer": None},
        own_options=0,
        mask_rule=rule,
    )
