"""Who draws from a global generator is found out, who seeds one also, and the caller's are as they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from lumiscope.testing._untouched import generators_kept


@pytest.mark.parametrize(
    "what",
    [
        lambda: torch.rand(1),
        lambda: torch.manual_seed(3),
        lambda: np.random.rand(),  # noqa: NPY002
        lambda: np.random.seed(3),  # noqa: NPY002
    ],
    ids=["torch draws", "torch is seeded", "NumPy draws", "NumPy is seeded"],
)
def test_a_global_generator_that_moves_is_an_error(what: Callable[[], object]) -> None:
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    for _ in range(2):  # the first time may have left the very state that the second one makes
        with pytest.raises(AssertionError, match="mine to use generators of its own"), generators_kept("mine"):
            what()
    expected = torch.rand(1, generator=torch.Generator().manual_seed(3))
    assert torch.equal(torch.rand(1), expected)
    assert np.random.rand() == np.random.RandomState(3).rand()  # noqa: NPY002


def test_generators_of_ones_own_are_fine() -> None:
    with generators_kept("mine"):
        np.random.default_rng(0).random()
        torch.rand(1, generator=torch.Generator().manual_seed(0))
