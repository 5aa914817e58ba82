"""Every scorer keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.images import open_images
from lumiscope.scorers import SCORERS
from lumiscope.testing import SCORER_CHECKS, scorer_case
from lumiscope.testing._networks import picture
from lumiscope.testing.scorers import ScorerCase
from scorers.tiny_models import write_image_text_model, write_sentence_model

DOCS = Path(__file__).parents[2] / "docs"


def table(folder: Path) -> ScorerCase:
    """Scores of five pictures, and another table of them."""
    names = [f"p{number}.png" for number in range(5)]
    for number, name in enumerate(names):
        Image.fromarray(picture(number)).save(folder / name)
    for seed, file in enumerate(("scores.npz", "others.npz")):
        scores = np.random.default_rng(seed).random((5, 4))
        np.savez(folder / file, scores=scores, images=np.array(names), concepts=np.array(["a", "b", "c", "d"]))
    return scorer_case(
        f"table:{folder}/scores.npz", images=open_images(str(folder)), other_spec=f"table:{folder}/others.npz"
    )


def open_clip(folder: Path) -> ScorerCase:
    """Two models of other seeds."""
    for seed in (0, 1):
        (folder / str(seed)).mkdir()
        write_image_text_model(folder / str(seed), seed)
    return scorer_case(f"open_clip:local-dir:{folder}/0", other_spec=f"open_clip:local-dir:{folder}/1")


def classes(folder: Path) -> ScorerCase:
    """Two models of other seeds, on pictures with class names."""
    pytest.importorskip("sentence_transformers", reason="needs the extra `text`")
    specs = []
    for seed in (0, 1):
        (folder / str(seed)).mkdir()
        specs.append(f"classes:{write_sentence_model(folder / str(seed), seed)}")
    for number in range(3):
        Image.fromarray(picture(number)).save(folder / f"p{number}.png")
    (folder / "list.csv").write_text("image,class_name\np0.png,dog\np1.png,red fish\np2.png,dog\n")
    images, words = open_images(str(folder / "list.csv")), ("cat", "dog", "sky")
    return scorer_case(specs[0], images=images, words=words, other_spec=specs[1])


CASES: dict[str, Callable[[Path], ScorerCase]] = {
    "classes": classes,
    "masks": lambda folder: scorer_case("masks"),
    "open_clip": open_clip,
    "table": table,
    "world": lambda folder: scorer_case("world:clip"),
}


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ScorerCase:
    return CASES[request.param](tmp_path_factory.mktemp(request.param))


def test_every_scorer_is_checked() -> None:
    assert set(CASES) == set(SCORERS)


@pytest.mark.parametrize("check", SCORER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", list(SCORERS), indirect=True)
def test_scorer(case: ScorerCase, check: Callable[[ScorerCase], None]) -> None:
    check(case)


@pytest.mark.parametrize("name", list(SCORERS))
def test_scorer_is_documented(name: str) -> None:
    assert f"\n## `{name}:" in (DOCS / "scorers.md").read_text()
    assert f"`{name}:" in (DOCS / "methods.md").read_text()
