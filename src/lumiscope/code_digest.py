"""A digest of the code that makes a value, so that an edit of it never meets a value that was made before.

Counted is the *import closure* of a module: the module and all that it imports, in whatever function, of lumiscope, of
its own top-level package and of what lies beside it, unless that is where packages are installed. `from
lumiscope.models import Cut` means the module that defines `Cut`, not the whole room: what a front passes on is followed
to where it comes from. Comments, docstrings, layout and imports for type checkers alone make no difference. What is
found at run time, an entry of a registry, is no import: whoever takes one names its module too.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HOME = __name__.partition(".")[0]
STDLIB = Path(sysconfig.get_path("stdlib"))


@dataclass(frozen=True)
class _Source:
    """What is read of one module. `imported`: (module, name there or "") of all imports. `names`: of a package,
    by the local name."""

    digest: str
    is_package: bool
    imported: tuple[tuple[str, str], ...]
    names: dict[str, tuple[str, str]]


@functools.cache
def code_digest(modules: frozenset[str]) -> str:
    """Sha256 (hex) of the code of `modules` and of all that they import, as it was when first asked for; see above."""
    digest = hashlib.sha256()
    for name in sorted(import_closure(modules)):
        source = _source(name)
        if source is not None:
            digest.update(f"{name} {source.digest}\n".encode())
    return digest.hexdigest()


def forget_code() -> None:
    """Read the files anew: a module was reloaded."""
    for known in (code_digest, _source, _path, _folder_of):
        known.cache_clear()


def import_closure(modules: Iterable[str]) -> set[str]:
    """The names of `modules` and of all modules that they import, as far as they count; see above."""
    waiting = set(modules)
    families = {name.partition(".")[0] for name in waiting} | {HOME}
    folders = {_folder_of(family) for family in families} - {None}
    closure: set[str] = set()
    while waiting:
        name = waiting.pop()
        closure.add(name)
        source = _source(name)
        if source is not None:
            homes = {_home(module, member) for module, member in source.imported}
            tops = {home: home.partition(".")[0] for home in homes}
            waiting |= {home for home, top in tops.items() if top in families or _folder_of(top) in folders} - closure
    return closure


def is_local(module: str) -> bool:
    """Whether a module has a file that users edit: it is neither installed nor a part of Python."""
    return _path(module) is not None and _folder_of(module.partition(".")[0]) is not None


@functools.cache
def _folder_of(top: str) -> Path | None:
    """Where a top-level module or package lies; None where it is installed, or part of Python."""
    path, folders = _top(top)
    place = Path(folders[0]).parent if folders else None if path is None else Path(path).parent
    installed = place is None or place.name in ("site-packages", "dist-packages") or place == STDLIB
    return None if installed else place


def _home(module: str, member: str) -> str:
    """The module that `from module import member` takes `member` from; `module` for a bare import."""
    seen: set[tuple[str, str]] = set()
    while member and (module, member) not in seen:
        seen.add((module, member))
        if _path(f"{module}.{member}") is not None:
            return f"{module}.{member}"
        source = _source(module)
        if source is None or not source.is_package or member not in source.names:
            return module
        module, member = source.names[member]
    return module


@functools.cache
def _source(name: str) -> _Source | None:
    """What the file of a module says; None where there is no such file."""
    path = _path(name)
    if path is None:
        return None
    tree = ast.parse(path.read_bytes())
    is_package = path.name == "__init__.py"
    package = name if is_package else name.rpartition(".")[0]
    # A front that imports lazily names what it passes on for type checkers alone.
    names = {local: (module, member) for local, module, member in _imports(tree, package)} if is_package else {}
    plain = _Plain().visit(tree)
    imported = tuple((module, member) for _, module, member in _imports(plain, package))
    digest = hashlib.sha256(ast.dump(plain).encode()).hexdigest()
    return _Source(digest, is_package, imported, names)


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[str, str, str]]:
    """(local name, module, member) of every import statement; relative ones are resolved in `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = importlib.util.resolve_name("." * node.level + module, package)
            for alias in node.names:
                yield alias.asname or alias.name, module, "" if alias.name == "*" else alias.name


class _Plain(ast.NodeTransformer):
    """Takes out what makes no value: docstrings, and imports for type checkers alone."""

    def _without_docstring(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        return node

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _without_docstring

    def visit_If(self, node: ast.If) -> ast.AST | None:
        self.generic_visit(node)
        test = node.test
        name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
        return None if name == "TYPE_CHECKING" and not node.orelse else node


@functools.cache
def _path(name: str) -> Path | None:
    """The source file of a module, without importing the module; None where it has none."""
    parent, _, last = name.rpartition(".")
    if not parent:
        origin, _ = _top(name)
        return Path(origin) if origin is not None and origin.endswith(".py") else None
    files = (file for folder in _folders(parent) for file in (folder / last / "__init__.py", folder / f"{last}.py"))
    return next((file for file in files if file.is_file()), None)


def _folders(package: str) -> list[Path]:
    """Where the modules of a package are: several folders of one without `__init__.py`; none of a plain module."""
    path = _path(package)
    if path is not None:
        return [path.parent] if path.name == "__init__.py" else []
    parent, _, last = package.rpartition(".")
    if not parent:
        return list(map(Path, _top(package)[1]))
    return [folder / last for folder in _folders(parent) if (folder / last).is_dir()]


def _top(name: str) -> tuple[str | None, list[str]]:
    """The file of a top-level module and the folders of a package, where it has any."""
    module = sys.modules.get(name)
    if module is not None:
        return getattr(module, "__file__", None), list(getattr(module, "__path__", ()))
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    return (None, []) if spec is None else (spec.origin, list(spec.submodule_search_locations or ()))
