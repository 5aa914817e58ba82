"""Score tables: matched by name, in any order, and every way they can be wrong is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lumiscope.errors import ScorerError
from lumiscope.scorers import load_scorer

IMAGES = ("a.JPEG", "b.JPEG", "c.png")
WORDS = ("cat", "dog", "sky", "sea")
SCORES = np.arange(12, dtype=np.float16).reshape(3, 4)
SHARED = Path(__file__).parents[2].parent / "shared"
TABLE = SHARED / "data/concepts/imagenet1k_sample_scores_3k.npz"


@dataclass(frozen=True)
class Item:
    path: Path

    @property
    def id(self):
        return self.path.stem


@dataclass(frozen=True)
class Concepts:
    words: tuple[str, ...]


def items(*names):
    return [Item(Path("folder") / name) for name in names]


@pytest.fixture
def write(tmp_path):
    def write(name="table.npz", **arrays):
        content = {"scores": SCORES, "images": np.array(IMAGES), "concepts": np.array(WORDS)} | arrays
        path = tmp_path / name
        np.savez(path, **{key: value for key, value in content.items() if value is not None})
        return f"table:{path}"

    return write


def test_rows_and_columns_come_in_the_order_asked_for(write):
    scorer = load_scorer(write())
    scores = scorer.score(items("c.png", "a.JPEG"), Concepts(("sea", "cat")))
    np.testing.assert_array_equal(scores.values, [[11, 8], [3, 0]])
    assert scores.values.dtype == np.float32
    assert scores.words == ("sea", "cat")
    assert scorer.words == WORDS


def test_a_table_may_name_images_by_id(write):
    scorer = load_scorer(write(images=np.array(["a", "b", "c"])))
    np.testing.assert_array_equal(scorer.score(items("b.JPEG"), Concepts(WORDS)).values, SCORES[1:2])


def test_the_file_name_goes_before_the_id(write):
    scorer = load_scorer(write(images=np.array(["a", "a.JPEG", "c"])))
    np.testing.assert_array_equal(scorer.score(items("a.JPEG"), Concepts(WORDS)).values, SCORES[1:2])


def test_missing_images_are_named_and_counted(write):
    with pytest.raises(ScorerError, match=r"no scores for 2 of 3 images: 'x\.png', 'A\.JPEG'") as caught:
        load_scorer(write()).score(items("x.png", "a.JPEG", "A.JPEG"), Concepts(WORDS))
    assert "'a.JPEG', 'b.JPEG'" in str(caught.value)


def test_missing_concepts_are_named_with_the_nearest(write):
    with pytest.raises(ScorerError, match=r"1 of 2 concepts: 'dogs'. Nearest to 'dogs': dog"):
        load_scorer(write()).score(items("a.JPEG"), Concepts(("cat", "dogs")))


def test_images_that_share_a_file_name_are_not_confused(write):
    images = [Item(Path("one/a.JPEG")), Item(Path("two/a.JPEG"))]
    with pytest.raises(ScorerError, match=r"same file name.*'a\.JPEG'"):
        load_scorer(write()).score(images, Concepts(WORDS))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_said_where(write, bad):
    scores = SCORES.copy()
    scores[1, 2] = bad
    scorer = load_scorer(write(scores=scores))
    with pytest.raises(ScorerError, match=rf"1 scores are not finite.*{bad} for image 'b\.JPEG' and concept 'sky'"):
        scorer.score(items(*IMAGES), Concepts(WORDS))
    assert scorer.score(items("a.JPEG"), Concepts(WORDS)).values.shape == (1, 4)


def test_a_float64_score_beyond_float32_is_an_error(write):
    scorer = load_scorer(write(scores=SCORES.astype(np.float64) * 1e300))
    with pytest.raises(ScorerError, match="not finite"):
        scorer.score(items(*IMAGES), Concepts(WORDS))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"scores": None}, "lacks scores; it has images, concepts"),
        ({"images": None, "concepts": None}, "lacks images, concepts"),
        ({"scores": SCORES.T}, r"scores \(4, 3\), images \(3,\) and concepts \(4,\)"),
        ({"scores": SCORES[0]}, r"scores \(4,\)"),
        ({"images": np.array(["a", "b", "a"])}, r"`images` must be unique.*'a'"),
        ({"concepts": np.array(["x", "y", "x", "y"])}, r"`concepts` must be unique.*'x', 'y'"),
        ({"concepts": np.array(WORDS, object)}, "cannot be read as a score table"),
        ({"images": np.array([b"a", b"b", b"c"])}, "`images` must be unicode text"),
        ({"scores": SCORES.astype(complex)}, "must be real numbers; got complex128"),
    ],
)
def test_a_file_that_is_no_table_is_refused(write, arrays, message):
    with pytest.raises(ScorerError, match=message):
        load_scorer(write(**arrays))


def test_files_that_are_no_npz_are_refused(tmp_path):
    with pytest.raises(ScorerError, match="no score table"):
        load_scorer(f"table:{tmp_path / 'nothing.npz'}")
    for content in (b"", b"words", b"PK\x03\x04 cut off"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(ScorerError, match="cannot be read"):
            load_scorer(f"table:{tmp_path / 'bad.npz'}")
    np.save(tmp_path / "lone.npy", SCORES)
    with pytest.raises(ScorerError, match="cannot be read"):
        load_scorer(f"table:{tmp_path / 'lone.npy'}")


def test_the_fingerprint_is_of_the_content(write, tmp_path):
    first = load_scorer(write("one.npz")).fingerprint
    assert load_scorer(write("two.npz")).fingerprint == first
    assert load_scorer(write("three.npz", scores=SCORES + 1)).fingerprint != first
    assert load_scorer(write("four.npz", concepts=np.array(WORDS[::-1]))).fingerprint != first


def test_the_key_of_an_image_is_how_its_row_is_found(write):
    scorer = load_scorer(write())
    keys = [scorer.image_key(Item(Path(name))) for name in ("one/a.JPEG", "two/a.JPEG", "a.png", "b.JPEG")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.skipif(not TABLE.is_file(), reason=f"needs the shared score table {TABLE}")
def test_the_shared_table_is_read():
    scorer = load_scorer(f"table:{TABLE}")
    with np.load(TABLE) as archive:
        names, values = archive["images"], archive["scores"]
    scores = scorer.score(items(*names[::-1][:50]), Concepts(scorer.words))
    np.testing.assert_array_equal(scores.values, values[::-1][:50].astype(np.float32))
