"""How p-values and those adjusted for many tests (q) are written: what is very small never looks like 0."""

from __future__ import annotations

LEAST = 0.001  # below this only the bound is written
P_COLUMNS = frozenset({"p_value", "p_adjusted", "p_equivalent", "q_value"})
"""Columns of tables that hold such numbers."""


def p_text(value: float, form: str = ".3f") -> str:
    """The number alone: "0.012", "< 0.001". `form`: of a number that is not too small for it."""
    return f"< {LEAST}" if value < LEAST else f"{value:{form}}"


def p_equation(value: float, name: str = "p", form: str = ".3f") -> str:
    """The number with its name: "p = 0.012", "p < 0.001"."""
    text = p_text(value, form)
    return f"{name} {text}" if text.startswith("<") else f"{name} = {text}"
