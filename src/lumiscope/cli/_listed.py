"""What help texts list: the names and forms that rooms register.

Importing the rooms would take seconds (torch), so their source is read instead, and only when a help text is shown.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from typer.core import TyperCommand, TyperOption

from lumiscope.registry import plug_ins


class ListingCommand(TyperCommand):
    """A command in whose help `{similarities}` and its like stand for what is registered."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # of click, which typer keeps in a private place
        """Fill the texts of the options, then write as always."""
        for parameter in self.params:
            if isinstance(parameter, TyperOption):
                parameter.help = filled(parameter.help)
                parameter.metavar = filled(parameter.metavar)
        super().format_help(ctx, formatter)


def declarations(folder: str, *decorators: str) -> Iterator[dict[str, str]]:
    """The literal texts given to each use of `decorators` in the modules of `lumiscope/FOLDER`, in order.

    The first argument has the key "name".
    """
    for file in sorted(resources.files("lumiscope").joinpath(folder).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            yield from _declared_in(ast.parse(file.read_bytes()), decorators)


def _declared_in(tree: ast.Module, decorators: Sequence[str]) -> Iterator[dict[str, str]]:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for use in (use for function in functions for use in function.decorator_list):
        if isinstance(use, ast.Call) and isinstance(use.func, ast.Name) and use.func.id in decorators:
            given: list[tuple[str | None, ast.expr]] = [("name", argument) for argument in use.args[:1]]
            given += [(keyword.arg, keyword.value) for keyword in use.keywords]
            yield {name: value for name, node in given if name and isinstance(value := _literal(node), str)}


def _literal(node: ast.expr) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def _names(folder: str, *decorators: str) -> list[str]:
    return [declared["name"] for declared in declarations(folder, *decorators)]


def _backends() -> str:
    return "|".join(["auto", *_names("models/backends", "inference_backend")])


def _similarities() -> str:
    return _joined(_names("dissection/similarity", "similarity", "threshold_similarity"))


def _scorers() -> str:
    return _joined([*(scorer["form"] for scorer in declarations("scorers", "scorer_scheme")), *_scorers_of_others()])


def _scorers_and_titles() -> str:
    shipped = [f"{scorer['form']} ({scorer['title']})" for scorer in declarations("scorers", "scorer_scheme")]
    return _joined([*shipped, *_scorers_of_others()])


def _scorers_of_others() -> list[str]:
    return [f"{point.name}:…" for point in plug_ins("lumiscope.scorers")]


def _mask_rules() -> str:
    return ", ".join(rule["form"] for rule in declarations("agreement", "mask_rule"))


def _segmenters() -> str:
    return ", ".join(_names("attribution/regions", "segmenter"))


def _joined(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


LISTS: Mapping[str, Callable[[], str]] = {
    "{backends}": _backends,
    "{mask_rules}": _mask_rules,
    "{scorers}": _scorers,
    "{scorers and what they are}": _scorers_and_titles,
    "{segmenters}": _segmenters,
    "{similarities}": _similarities,
}
"""What stands for what in a help text."""


def filled(text: str | None) -> str | None:
    """A help text with what is registered in the place of `{similarities}` and its like."""
    for placeholder, listed in LISTS.items():
        if text is not None and placeholder in text:
            text = text.replace(placeholder, listed())
    return text
