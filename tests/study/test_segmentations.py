"""Segments from files and functions, cut once, and kept."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import lumiscope
from lumiscope.agreement import make_mask
from lumiscope.code_digest import import_closure
from lumiscope.errors import ImageError, ModelError, UnknownNameError, UsageError
from lumiscope.images import Geometry
from lumiscope.memo import Memo
from lumiscope.runs import map_arrays, map_from_arrays
from lumiscope.store import Store
from lumiscope.study.stages import segmentations
from lumiscope.study.stages.segmentations import Segmentations, check_cut, cut, segment_file


@pytest.fixture
def view():
    pixels = np.random.default_rng(0).integers(0, 255, (64, 48, 3), np.uint8)
    return Geometry((32, 32), mode="squash").view(pixels, "x")


def test_a_segmentation_is_cut_once_and_kept(view, tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    first = Segmentations(Memo(store))(view, "grid", {"rows": 2})
    monkeypatch.setattr(segmentations, "cut", lambda *_: pytest.fail("cut twice"))
    again = Segmentations(Memo(Store(tmp_path / "store")))(view, "grid", {"rows": 2})
    np.testing.assert_array_equal(first, again)
    assert (first.dtype, again.dtype) == (np.int64, np.int64)
    with pytest.raises(pytest.fail.Exception):
        Segmentations(Memo(store))(view, "grid", {"rows": 3})


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "npy"])
def test_a_file_of_the_views_size_is_taken_as_it_is(view, tmp_path, mode):
    truth = np.zeros((32, 32), np.uint8)
    truth[:, 10:], truth[20:, :] = 1, 2
    path = tmp_path / ("s.npy" if mode == "npy" else "s.png")
    if mode == "npy":
        np.save(path, truth.astype(np.int16) * 7)
    elif mode == "RGB":
        Image.fromarray(np.array([[0, 0, 1], [0, 9, 0], [80, 0, 0]], np.uint8)[truth]).save(path)
    else:
        picture = Image.fromarray(truth * 100)
        if mode == "P":
            picture = Image.fromarray(truth)
            picture.putpalette([5] * 768)  # equal colours, different indices
        picture.save(path)
    np.testing.assert_array_equal(cut(view, f"mask:{path}", {}), truth)


def test_a_file_of_the_images_size_is_brought_onto_the_view(view, tmp_path):
    labels = np.zeros((64, 48), np.uint8)
    labels[:32, 24:] = 3
    Image.fromarray(labels).save(tmp_path / "s.png")
    expected = np.zeros((32, 32))
    expected[:16, 16:] = 1
    np.testing.assert_array_equal(cut(view, f"mask:{tmp_path / 's.png'}", {}), expected)


@pytest.mark.parametrize(("size", "mode"), [((64, 48), "squash"), ((3, 5), "squash"), ((48, 64), "crop")])
def test_each_pixel_of_the_view_has_the_label_of_the_nearest_one_of_the_image(size, mode, tmp_path):
    """Its middle lies in that pixel: of every second row, of each several times, or of those that are not cut off."""
    height, width = size
    view = Geometry((32, 32), mode=mode).view(np.zeros((*size, 3), np.uint8), "x")
    labels = np.arange(height * width).reshape(size)
    np.save(tmp_path / "s.npy", labels)
    left, top, right, bottom = view.box
    middles = [(number + 0.5) / 32 for number in range(32)]
    rows = [int(top + middle * (bottom - top)) for middle in middles]
    columns = [int(left + middle * (right - left)) for middle in middles]
    expected = np.array([[labels[row, column] for column in columns] for row in rows])
    order = np.unique(expected, return_inverse=True)[1].reshape(32, 32)
    np.testing.assert_array_equal(cut(view, f"mask:{tmp_path / 's.npy'}", {}), order)


def test_files_that_do_not_fit(view, tmp_path):
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(tmp_path / "small.png")
    with pytest.raises(UsageError, match="size of the view, 32×32, or of the image, 64×48; got 7×9"):
        cut(view, f"mask:{tmp_path / 'small.png'}", {})
    np.save(tmp_path / "real.npy", np.zeros((32, 32)))
    with pytest.raises(ImageError, match="expected whole numbers"):
        cut(view, f"mask:{tmp_path / 'real.npy'}", {})
    with pytest.raises(ImageError, match="file not found"):
        cut(view, "mask:nowhere.png", {})
    with pytest.raises(UsageError, match=r"expected a file with segments at nowhere\.png"):
        segment_file("mask:nowhere.png")


def test_a_function_of_the_users_own(view, tmp_path, monkeypatch):
    (tmp_path / "cutters.py").write_text(
        "import numpy as np\n"
        "def halves(pixels, at=16):\n    return np.arange(pixels.shape[1])[None] // at * 5 + np.zeros((32, 1), int)\n"
        "def wrong(pixels):\n    return pixels.mean(2)\n"
        "def broken(pixels):\n    raise KeyError('x')\n"
    )
    monkeypatch.chdir(tmp_path)
    halves = cut(view, "python:cutters:halves", {})
    np.testing.assert_array_equal(halves, np.broadcast_to(np.arange(32) // 16, (32, 32)))
    assert cut(view, "python:cutters:halves", {"at": 8}).max() == 3
    with pytest.raises(UsageError, match=r"32×32 whole numbers, .*got float64 of shape"):
        cut(view, "python:cutters:wrong", {})
    with pytest.raises(ModelError, match="python:cutters:broken failed: KeyError"):
        cut(view, "python:cutters:broken", {})
    with pytest.raises(UnknownNameError, match="unknown function in cutters 'halve': did you mean halves"):
        cut(view, "python:cutters:halve", {})
    check_cut("python:cutters:halves", {"at": 8})
    with pytest.raises(UsageError, match=r"options that cutters:halves\(pixels, …\) takes; got rows: .*'rows'"):
        check_cut("python:cutters:halves", {"rows": 8})


@pytest.mark.parametrize("method", ["lime", "kernelshap"])
def test_segments_of_files_and_functions_serve_every_method_and_are_kept(tiny, pictures, tmp_path, monkeypatch, method):
    labels = np.zeros((32, 32), np.uint8)
    labels[16:] = 1
    Image.fromarray(labels).save(tmp_path / "own.png")
    (tmp_path / "rows.py").write_text(
        "import numpy as np\ndef thirds(pixels):\n    return np.indices(pixels.shape[:2])[0] // 11\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    store = Store(tmp_path / "store")

    def segments(segmenter):
        options = {method: {"segmenter": segmenter, "num_samples": 20}}
        (saliency,) = lumiscope.explain(
            tiny, pictures[:1], methods=method, options=options, backend="eager", store=store
        )
        return saliency.segments

    np.testing.assert_array_equal(segments(f"mask:{tmp_path / 'own.png'}"), labels)
    np.testing.assert_array_equal(segments("python:rows:thirds")[:, 0], np.arange(32) // 11)
    monkeypatch.setattr(segmentations, "cut", lambda *_: pytest.fail("cut twice"))
    kept = Segmentations(Memo(store))(tiny.view(pictures[0]), "python:rows:thirds", {})
    assert kept.max() == 2


def test_lime_on_segments_from_a_file_through_the_store(tiny, pictures, tmp_path):
    labels = np.zeros((32, 32), np.uint8)
    labels[16:] = 1
    path = tmp_path / "own.png"
    Image.fromarray(labels).save(path)
    options = {"lime": {"segmenter": f"mask:{path}", "num_samples": 40, "positive_only": False, "min_weight": 0.001}}
    (saliency,) = lumiscope.explain(tiny, pictures[:1], methods="lime", options=options)
    np.testing.assert_array_equal(saliency.segments, labels)
    back = map_from_arrays(map_arrays(saliency))
    np.testing.assert_array_equal(back.intervals, saliency.intervals)
    np.testing.assert_array_equal(make_mask(back, "lime"), make_mask(saliency, "lime"))
    assert saliency.intervals.shape == (2, 2)


def test_segments_and_maps_depend_on_the_code_that_cuts(tiny, pictures, tmp_path, monkeypatch):
    (tmp_path / "stripes.py").write_text("import thirds\ndef cut(pixels):\n    return thirds.of(pixels)\n")
    (tmp_path / "thirds.py").write_text(
        "import numpy as np\ndef of(pixels):\n    return np.indices(pixels.shape[:2])[0] // 11\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    results, makers = Memo.results, {}

    def noted(memo, kind, inputs, *, made_by):
        makers[kind] = list(made_by)
        return results(memo, kind, inputs, made_by=makers[kind])

    monkeypatch.setattr(Memo, "results", noted)
    options = {"lime": {"segmenter": "python:stripes:cut", "num_samples": 20}}
    lumiscope.explain(tiny, pictures[:1], methods="lime", options=options, backend="eager")
    for kind in ("segments", "maps"):
        modules = {maker.__module__ for maker in makers[kind]}
        assert {"stripes", "thirds", "lumiscope.study.stages.segmentations"} <= import_closure(modules), kind
        assert "lumiscope.attribution.regions.segmenters" in import_closure(modules), kind
