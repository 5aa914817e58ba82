"""The built-in study: what `lumiscope run` does when nobody names models or images."""

from __future__ import annotations

from lumiscope.study.config import DissectConfig, ExplainConfig, ModelConfig, RunConfig, Study

IMAGES = "world:12"
PROBING_IMAGES = "world:2000@1"
# Its labels are true of 9 in 10 of the pictures that excite a unit most, those of soft WPMI of 1 in 2: docs/world.md.
SIMILARITY = "wpmi"
# Half of the default, which is enough for the 11 to 19 segments of these pictures.
LIME_SAMPLES = 500
DESCRIPTION = (
    "Two small networks of one architecture look at pictures that lumiscope draws itself, so the truth about every "
    "pixel is known. One of them, objects, tells what a picture shows; the other, scenes, tells where that is. The "
    "true masks are those of the main objects."
)


def builtin_study() -> Study:
    """Two networks of one architecture and two tasks, side by side on pictures whose every pixel is known.

    12 pictures of the world, one of each object, are explained by the default methods; all five stages are dissected
    with 2,000 others. Needs nothing but the package.
    """
    return Study(
        models=(ModelConfig(spec="world:objects"), ModelConfig(spec="world:scenes")),
        run=RunConfig(name="world", description=DESCRIPTION, trust=True),
        explain=ExplainConfig(images=IMAGES, options={"lime": {"num_samples": LIME_SAMPLES}}),
        dissect=DissectConfig(
            probe=PROBING_IMAGES, scorer="world:clip", concepts="world", layers=["auto:5"], similarity=SIMILARITY
        ),
    )
