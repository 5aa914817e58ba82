"""One exception tree, its exit codes, and the nearest names."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope import errors
from lumiscope.errors import LumiscopeError, UnknownNameError, UsageError, nearest

TREE = {
    "LumiscopeError": Exception,
    "UsageError": errors.LumiscopeError,
    "UnknownNameError": errors.UsageError,
    "ImageError": errors.LumiscopeError,
    "ModelError": errors.LumiscopeError,
    "WeightsError": errors.ModelError,
    "LayerError": errors.ModelError,
    "TargetError": errors.LumiscopeError,
    "ScorerError": errors.LumiscopeError,
    "StoreError": errors.LumiscopeError,
    "PathError": errors.StoreError,
}


def test_the_tree_is_the_one_at_the_top_of_the_file():
    classes = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert {name: kind.__base__ for name, kind in classes.items()} == TREE
    assert all(name in errors.__doc__ for name in TREE)


def test_exit_codes():
    for name in TREE:
        kind = getattr(errors, name)
        assert kind.exit_code == (2 if issubclass(kind, UsageError) else 1)
    assert not issubclass(LumiscopeError, (ValueError, RuntimeError, OSError))


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("gradcan", ["gradcam", "lime"], "unknown method 'gradcan': did you mean gradcam?"),
        ("GRADCAM", ["gradcam"], "unknown method 'GRADCAM': did you mean gradcam?"),
        ("xyz", ["gradcam", "lime"], "unknown method 'xyz': known: gradcam, lime"),
        ("xyz", [], "unknown method 'xyz': there is no method at all"),
        ("!", [str(n) for n in range(13)], "unknown method '!': known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"),
    ],
)
def test_unknown_names(name, known, message):
    assert str(UnknownNameError("method", name, known)) == message
    sentence = message if message[-1] in "?…" else f"{message}."
    assert str(UnknownNameError("method", name, iter(known), hint="See there.")) == f"{sentence} See there."


def test_nearest_is_best_first_and_at_most_three():
    known = ["scorecam", "ablationcam", "gradcam", "gradcam++", "xgradcam", "Lime"]
    names = nearest("gradcam", known)
    assert names[0] == "gradcam"
    assert len(names) == 3
    assert nearest("LIME", known) == ["Lime"]
    assert nearest("gradcam", known, count=1) == ["gradcam"]


@given(st.lists(st.text(), max_size=6), st.text())
def test_nearest_names_exist_and_a_name_is_nearest_to_itself(known, name):
    assert set(nearest(name, known)) <= set(known)
    if name:
        assert nearest(name, [*known, name])[0].lower() == name.lower()
