"""The one tensor that is meant, in whatever a module returns."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch

from lumiscope.errors import LayerError, ModelError
from lumiscope.models.outputs import first_tensor, logits_of, with_first_tensor

Named = namedtuple("Named", "note maps")
MAPS, OTHER = torch.ones(2, 3), torch.zeros(2, 3)
CASES = {
    "tensor": MAPS,
    "tuple": (MAPS, OTHER),
    "list": [None, MAPS, OTHER],
    "named": Named("text", MAPS),
    "mapping": {"a": 1, "b": MAPS, "c": OTHER},
    "mapping with logits": {"a": OTHER, "logits": MAPS},
    "object with logits": SimpleNamespace(hidden=OTHER, logits=MAPS),
}


@pytest.mark.parametrize("case", CASES)
def test_the_tensor_that_is_meant(case):
    assert first_tensor(CASES[case]) is MAPS
    assert logits_of(CASES[case]) is MAPS


@pytest.mark.parametrize("case", [case for case in CASES if "object" not in case])
def test_putting_another_in_its_place(case):
    new = torch.full((2, 3), 7.0)
    changed = with_first_tensor(CASES[case], new)
    assert type(changed) is type(CASES[case])
    assert first_tensor(changed) is new
    if case != "tensor":
        before = CASES[case].items() if isinstance(CASES[case], dict) else enumerate(CASES[case])
        after = dict(changed.items() if isinstance(changed, dict) else enumerate(changed))
        assert [key for key, value in before if after[key] is not value] == [
            key for key, value in after.items() if value is new
        ]
    assert first_tensor(CASES[case]) is MAPS


def test_a_container_that_cannot_be_made_again():
    with pytest.raises(LayerError, match="got SimpleNamespace"):
        with_first_tensor(CASES["object with logits"], OTHER)


@pytest.mark.parametrize("output", [None, "text", (), {"a": "b"}, 3.0])
def test_no_tensor(output):
    assert first_tensor(output) is None
    with pytest.raises(ModelError, match=f"got {type(output).__name__}"):
        logits_of(output)


def test_maps_are_no_logits():
    with pytest.raises(ModelError, match=r"shape \(2, 3, 4, 4\)"):
        logits_of(torch.zeros(2, 3, 4, 4))
