"""Whoever gives no seed gets the same numbers everywhere: those of seed 0, as a study without one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import lumiscope
from lumiscope.study import RunConfig

SOURCES = sorted(Path(lumiscope.__file__).parent.rglob("*.py"))


def seed_defaults(tree: ast.AST) -> Iterator[tuple[str, object]]:
    """(name, value) of every number that stands for a seed that nobody gave, of functions and dataclasses."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            names, given = node.args.posonlyargs + node.args.args, node.args.defaults
            pairs = [*zip(names[len(names) - len(given) :], given, strict=True)]
            pairs += [*zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
            for argument, default in pairs:
                if isinstance(default, ast.Constant):
                    yield argument.arg, default.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
            yield ast.unparse(node.target), node.value.value


def test_a_seed_that_is_not_given_is_0() -> None:
    seeds = [
        (path.name, name, value)
        for path in SOURCES
        for name, value in seed_defaults(ast.parse(path.read_text("utf-8")))
        if name == "seed" or name.endswith("_seed")
    ]
    assert len(seeds) > 20
    assert [seed for seed in seeds if seed[2] not in (0, None)] == []


def test_that_of_a_study_is_0() -> None:
    assert RunConfig().seed == 0
