"""Small p and q are written as a bound, wherever they are shown; nothing that is not 0 looks like 0."""

from __future__ import annotations

import pytest

from lumiscope.cli.output import print_rows
from lumiscope.p_values import P_COLUMNS, p_equation, p_text
from lumiscope.report.numbers import p_value, small
from lumiscope.runs import TABLES


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "< 0.001"),
        (1e-300, "< 0.001"),
        (0.00099999, "< 0.001"),
        (0.001, "0.001"),
        (0.0421, "0.042"),
        (1.0, "1.000"),
    ],
)
def test_how_they_are_written(value, text):
    equation = f"p {text}" if text.startswith("<") else f"p = {text}"
    assert (p_text(value), small(value)) == (text, text)
    assert (p_equation(value), p_value(value)) == (equation, equation)


def test_every_column_of_such_numbers_is_known():
    names = {column.name for table in TABLES.values() for column in table.columns}
    assert {name for name in names if name.startswith(("p_", "q_"))} == set(P_COLUMNS)


def test_tables_of_commands(capsys):
    print_rows([{"p_value": 0.0, "q_value": 0.0004, "score": 0.0004, "p_adjusted": float("nan")}],
               ["p_value", "q_value", "score", "p_adjusted"], as_json=False)  # fmt: skip
    assert capsys.readouterr().out.splitlines()[1].split("\t") == ["< 0.001", "< 0.001", "0.000", ""]
