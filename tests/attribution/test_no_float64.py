"""On a device without float64, as mps, everything runs, and gives what it gives elsewhere.

Such a device is made up: tensors of the processor count as its own until they went through `.cpu()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

import attribution.references  # noqa: F401 - registers the options with which each method is quick
from lumiscope.attribution import METHODS, PreparedBatch, unit_contributions
from lumiscope.models import TorchModel, in_float64, wide_numbers
from lumiscope.testing import METHOD_REFERENCES, _networks

WIDENS = ("double", "to", "type")


class OnProcessor(torch.Tensor):
    """What went through `.cpu()`."""


class WithoutFloat64(TorchFunctionMode):
    """Refuses to widen what lies on the device."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name, given = getattr(func, "__name__", ""), [part for part in args if isinstance(part, torch.Tensor)]
        there = any(isinstance(part, OnProcessor) for part in given)
        if name == "cpu":
            return result.as_subclass(OnProcessor)
        wide = isinstance(result, torch.Tensor) and result.dtype == torch.float64
        placed = name in WIDENS or kwargs.get("device") is not None
        if wide and placed and not there and not any(part.dtype == torch.float64 for part in given):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return result


@pytest.fixture
def without_float64() -> Iterator[Callable[[], WithoutFloat64]]:
    wide_numbers._has_float64.cache_clear()
    yield WithoutFloat64
    wide_numbers._has_float64.cache_clear()


def test_the_made_up_device_refuses_and_the_helper_goes_around(without_float64: Callable[[], WithoutFloat64]) -> None:
    numbers = torch.tensor([0.1, 0.2])
    assert in_float64(numbers).dtype == torch.float64
    wide_numbers._has_float64.cache_clear()
    with without_float64():
        with pytest.raises(TypeError, match="MPS"):
            numbers.double()
        with pytest.raises(TypeError, match="MPS"):
            torch.zeros(2, dtype=torch.float64, device="cpu")
        wide = in_float64(numbers)
    assert isinstance(wide, OnProcessor)
    assert torch.equal(torch.as_tensor(wide), numbers.double())


@pytest.mark.parametrize("model", [_networks.bent_model, _networks.plain_model], ids=["bent", "plain"])
@pytest.mark.parametrize("name", list(METHODS))
def test_every_method(
    name: str, model: Callable[[], TorchModel], without_float64: Callable[[], WithoutFloat64]
) -> None:
    method = METHODS[name]
    options = method.options(METHOD_REFERENCES[name].options)

    def values() -> list[np.ndarray]:
        loaded = model()
        prepared = PreparedBatch(loaded, _networks.views_of(2), layer=_networks.layer_of(loaded))
        targets = prepared.targets("predicted", [None, None])
        return [saliency.values for saliency in method.explain(prepared, targets, options)]

    expected = values()
    wide_numbers._has_float64.cache_clear()
    with without_float64():
        came = values()
    for there, here in zip(came, expected, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6 * np.abs(here).max())


@pytest.mark.parametrize("model", [_networks.bent_model, _networks.plain_model], ids=["bent", "plain"])
def test_contributions_of_units(model: Callable[[], TorchModel], without_float64: Callable[[], WithoutFloat64]) -> None:
    def contributions() -> np.ndarray:
        loaded = model()
        prepared = PreparedBatch(loaded, _networks.views_of(2), layer=_networks.layer_of(loaded))
        targets = prepared.targets("predicted", [None, None])
        return unit_contributions(prepared.at(_networks.layer_of(loaded)), targets).contributions

    expected = contributions()
    wide_numbers._has_float64.cache_clear()
    with without_float64():
        came = contributions()
    np.testing.assert_allclose(came, expected, rtol=1e-6)
