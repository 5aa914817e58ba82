"""Networks of which several classes may be true: where a name hints at it, the user is asked."""

from __future__ import annotations

import pytest

from lumiscope.errors import UsageError
from lumiscope.models import load_model
from lumiscope.models._several_labels import ASSUMED, check_single_label

CODE = """
import torch
def make():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
"""


@pytest.mark.parametrize("name", ["chexpert", "my_multilabel_net", "face-attributes", "tagger", "voc2012", "celeba_x"])
def test_names_that_hint_at_several_labels(name) -> None:
    with pytest.raises(UsageError, match=r"hints at several labels at once\. Say --activation sigmoid"):
        check_single_label("python:net:make", [name])


@pytest.mark.parametrize("name", ["vocal", "coconut", "stage", "tagliatelle", "attributed", "cats.txt", None, 3])
def test_names_that_do_not(name) -> None:
    check_single_label("python:net:make", [name])


def test_the_file_of_classes_is_looked_at_and_a_word_of_the_user_suffices(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plainly.py").write_text(CODE)
    for file in ("classes.txt", "attributes.txt"):
        (tmp_path / file).write_text("round\nred\nlarge\n")
    spec, given = "python:plainly:make", {"input_size": 16, "mean": 0.5, "std": 0.5}
    assert load_model(spec, classes="classes.txt", **given).notes == (ASSUMED,)
    with pytest.raises(UsageError, match=r"'attributes' in 'attributes\.txt' hints at several labels"):
        load_model(spec, classes="attributes.txt", **given)
    for activation in ("sigmoid", "softmax"):
        model = load_model(spec, classes="attributes.txt", activation=activation, **given)
        assert (model.activation, model.notes) == (activation, ())
