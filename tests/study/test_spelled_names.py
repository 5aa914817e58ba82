"""One letter has two spellings in Unicode; names of images in files match in either."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from lumiscope.concepts import ConceptSet
from lumiscope.images import open_images
from lumiscope.scorers import load_scorer
from lumiscope.study.files.image_names import names_of_images
from picture_folders import save

NAME = "caf\u00e9"
FORMS = [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")]


@pytest.mark.parametrize(("stored", "written"), FORMS)
def test_in_options_of_images(tmp_path, stored, written):
    save(tmp_path / unicodedata.normalize(stored, f"{NAME}.png"))
    images = open_images(tmp_path)
    assert [item.id for item in images] == [NAME]
    name = unicodedata.normalize(written, f"{NAME}.png")
    assert names_of_images([name], list(images), "file") == {NAME: name}


@pytest.mark.parametrize(("stored", "written"), FORMS)
@pytest.mark.parametrize("ending", ["", ".png"])
def test_in_tables_of_scores(tmp_path, stored, written, ending):
    save(tmp_path / "p" / unicodedata.normalize(stored, f"{NAME}.png"))
    names = [unicodedata.normalize(written, NAME + ending), "other"]
    np.savez(tmp_path / "t.npz", scores=np.array([[0.25], [1]]), images=np.array(names), concepts=np.array(["red"]))
    scorer = load_scorer(f"table:{tmp_path / 't.npz'}")
    concepts = ConceptSet("c", ("red",), ("color",))
    assert scorer.score(open_images(tmp_path / "p"), concepts).values.tolist() == [[0.25]]


def test_two_files_that_differ_in_spelling_alone_are_two_images(tmp_path):
    for form, shade in (("NFC", 1), ("NFD", 2)):
        save(tmp_path / unicodedata.normalize(form, f"{NAME}.png"), shade=shade)
    images = open_images(tmp_path)
    assert {item.id: int(item.pixels[0, 0, 0]) for item in images} == {NAME: 2, f"{NAME}-2": 1}
