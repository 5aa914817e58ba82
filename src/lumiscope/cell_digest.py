"""A digest of functions and classes that no file has: of a notebook's cell, of `python -c`.

Counted are a function's code, defaults and closure, and what its code names in its own module: other such functions and
classes in the same way, plain values, and modules that users edit, or what comes from one, by their files. Of anything
else only the type counts.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from lumiscope.code_digest import code_digest, is_local

PLAIN = (bool, int, float, complex, str, bytes, type(None), tuple, frozenset)


def cell_digest(maker: object) -> str | None:
    """Sha256 (hex) of a function or class; None for one that lies in a file, and for anything else."""
    functions = list(_functions(maker))
    if not any(_is_of_a_cell(function) for function in functions):
        return None
    return hashlib.sha256("\n".join(_Walk().said(maker)).encode()).hexdigest()


def _functions(maker: object) -> Iterator[FunctionType]:
    """The functions of a maker, without what decorators put around them."""
    members = vars(maker).values() if isinstance(maker, type) else [maker]
    for member in members:
        plain = inspect.unwrap(getattr(member, "__func__", member)) if callable(member) else member
        if isinstance(plain, FunctionType):
            yield plain


def _is_of_a_cell(function: FunctionType) -> bool:
    name = function.__code__.co_filename
    generated = name == "<string>" and function.__module__ != "__main__"  # as dataclasses make `__init__`
    return not generated and not _is_file(name)


@functools.cache
def _is_file(name: str) -> bool:
    return Path(name).is_file()


class _Walk:
    """What there is to say of code, each function once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def said(self, value: object) -> Iterator[str]:
        if isinstance(value, PLAIN):
            yield _plain(value)
        elif isinstance(value, type) or callable(value):
            for function in _functions(value):
                if _is_of_a_cell(function) and id(function) not in self._seen:
                    self._seen.add(id(function))
                    yield from self._function(function)
            yield getattr(value, "__qualname__", type(value).__qualname__)
            yield from self._file(getattr(value, "__module__", None))
        else:
            yield type(value).__qualname__
            yield from self._file(value.__name__ if isinstance(value, ModuleType) else None)

    def _file(self, module: str | None) -> Iterator[str]:
        if module is not None and is_local(module):
            yield code_digest(frozenset([module]))

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield from self._code(function.__code__)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        named = [function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__]
        given = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        for value in (*given, *cells, *named):
            yield from self.said(value)

    def _code(self, code: CodeType) -> Iterator[str]:
        yield f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames}"
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from self._code(constant)
            else:
                yield _plain(constant)


def _plain(value: object) -> str:
    """A constant, the same in every process: the order of a set is not."""
    return f"frozenset({sorted(map(repr, value))})" if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> list[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [*code.co_names, *(name for part in inner for name in _names(part))]
