"""What the checks say when something is not as it should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import LumiscopeError


def expect(truth: object, sentence: str) -> None:
    """Raise `AssertionError` with `sentence`, which says what was expected and what came, unless `truth` holds."""
    if not truth:
        raise AssertionError(sentence)


def expect_close(values: NDArray[np.generic], expected: NDArray[np.generic], tolerance: float, what: str) -> None:
    """Expect arrays of one shape with NaN and infinities in the same places.

    `tolerance`: the largest difference, as a share of the largest finite expected value or of 1e-6.
    """
    expect(values.shape == expected.shape, f"expected {what} of shape {expected.shape}; got {values.shape}")
    wide, wanted = values.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(wanted)
    expect(
        np.array_equal(wide[~finite], wanted[~finite], equal_nan=True) and np.isfinite(wide[finite]).all(),
        f"expected {what} with {(~finite).sum()} of {finite.size} values NaN or infinite, and in the same places; "
        f"got {(~np.isfinite(wide)).sum()}",
    )
    allowed = tolerance * max(np.abs(wanted[finite]).max(initial=0), 1e-6)
    error = np.abs(wide[finite] - wanted[finite]).max(initial=0)
    expect(error <= allowed, f"expected {what} within {allowed:.1e}; the largest difference is {error:.1e}")


def expect_refusal(call: Callable[[], object], kind: type[LumiscopeError], what: str) -> str:
    """Expect that `call` raises an error of `kind`; return its message. `what`: what is refused."""
    try:
        call()
    except kind as error:
        return str(error)
    except Exception as error:
        raise AssertionError(
            f"expected {what} to be refused with a {kind.__name__}; got {type(error).__name__}: {error}"
        ) from error
    raise AssertionError(f"expected {what} to be refused with a {kind.__name__}; nothing was raised")
