"""Entries by name: one `Registry` for each kind of thing that a user can ask for and a third party can add.

The room of that kind makes the registry and a decorator that registers. Nobody keeps a list of what there is: modules
of lumiscope are found by their folder, those of others by the entry points of installed packages, and either kind
registers itself when it is imported, which happens when somebody first looks into the registry.
"""

from __future__ import annotations

import fnmatch
import functools
import importlib
import logging
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from lumiscope.code_digest import forget_code
from lumiscope.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Entry = TypeVar("Entry")
Default = TypeVar("Default")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Registered(Generic[Entry]):
    """An entry with where it was defined. `place`: module and name."""

    entry: Entry
    module: str
    place: str
    order: int


class Registry(Mapping[str, Entry]):
    """All entries of one kind by name, as a mapping that cannot be written to but by `register`.

    `noun`: what an entry is, for messages. `package`: modules in it register entries; None: whoever makes the registry
    imports them. `group`: the entry points that name modules of third parties, each called as the entry that its module
    registers; None: there are none. `hint`: the end of a message about a name that does not exist. `also`: names that
    mean something to whoever asks, though they are no entries; messages list them.

    Iteration follows `order`, then the files of the package in alphabetical order, then the order of registration;
    what others register comes last. `registry[name]` raises `UnknownNameError`, with the nearest names.
    """

    def __init__(
        self,
        noun: str,
        *,
        package: str | None = None,
        group: str | None = None,
        hint: str | Callable[[], str] = "",
        also: Iterable[str] = (),
    ) -> None:
        self.noun = noun
        self.group = group
        self._package = package
        self._hint = hint
        self._also = tuple(also)
        self._registered: dict[str, _Registered[Entry]] = {}
        self._complete = False
        self._awaited: list[EntryPoint] | None = None

    def register(self, name: str, entry: Entry, *, defined_by: object, order: int = 0) -> None:
        """Add an entry. `defined_by`: the function or class that was decorated, which tells where it is defined.

        The same definition may register again: its module was reloaded, or a cell of a notebook run once more. Errors:
        `UsageError` for a name that another definition has, with both places.
        """
        module, place = _where(defined_by)
        before = self._registered.get(name)
        if before is not None and before.place != place:
            raise UsageError(
                f"expected one {self.noun} called {name!r}; it is defined in {before.place} and again in {place}. "
                "Give one of them another name."
            )
        if before is not None:
            forget_code()
        self._registered[name] = _Registered(entry, module, place, order)

    def names(self) -> tuple[str, ...]:
        """Every name, in order."""
        return tuple(self)

    def check(self, name: str) -> None:
        """Errors: `UnknownNameError` where there is no entry of that name."""
        if name not in self:
            raise self._unknown(name)

    def select(self, patterns: Iterable[str], among: Collection[str] | None = None) -> list[str]:
        """Turn names and wildcards (`*cam`) into names, each once, in the order asked for.

        `among`: the names that a wildcard prefers; one that matches none of them, and a plain name, may mean any entry.
        Errors: `UnknownNameError`.
        """
        chosen: dict[str, None] = {}
        for pattern in patterns:
            preferred = [] if among is None else fnmatch.filter(among, pattern)
            matches = preferred or fnmatch.filter(self, pattern)
            if not matches:
                raise self._unknown(pattern)
            chosen.update(dict.fromkeys(matches))
        return list(chosen)

    def __getitem__(self, name: str) -> Entry:
        self.check(name)
        return self._registered[name].entry

    @overload
    def get(self, name: str, /) -> Entry | None: ...
    @overload
    def get(self, name: str, /, default: Entry | Default) -> Entry | Default: ...
    def get(self, name: str, /, default: object = None) -> object:
        """The entry, or `default` where there is none of that name."""
        self._import_all()
        registered = self._registered.get(name)
        return default if registered is None else registered.entry

    def __contains__(self, name: object) -> bool:
        self._import_all()
        return name in self._registered

    def __iter__(self) -> Iterator[str]:
        self._import_all()
        places = {module: place for place, module in enumerate(self._modules)}

        def rank(name: str) -> tuple[int, int]:
            registered = self._registered[name]
            return registered.order, places.get(registered.module, len(places))

        return iter(sorted(self._registered, key=rank))

    def __len__(self) -> int:
        self._import_all()
        return len(self._registered)

    def __repr__(self) -> str:
        return f"Registry({self.noun!r}, {', '.join(self._registered) or 'nothing yet'})"

    def _unknown(self, name: str) -> UnknownNameError:
        hint = self._hint if isinstance(self._hint, str) else self._hint()
        return UnknownNameError(self.noun, name, [*self, *self._also], hint=hint)

    @functools.cached_property
    def _modules(self) -> tuple[str, ...]:
        if self._package is None:
            return ()
        folder = importlib.import_module(self._package).__path__
        return tuple(sorted(f"{self._package}.{module.name}" for module in pkgutil.iter_modules(folder)))

    def _import_all(self) -> None:
        """Import what registers itself, once. A module on the way may look into the registry: it sees what is there."""
        if self._complete:
            return
        for module in self._modules:
            importlib.import_module(module)
        if self._awaited is None:
            self._awaited = plug_ins(self.group)
        while self._awaited:
            self._import_plug_in(self._awaited.pop(0))
        self._complete = True

    def _import_plug_in(self, point: EntryPoint) -> None:
        """Import a third party's module; one that fails is left out with a warning, and never tried again."""
        try:
            point.load()
            problem = "" if point.name in self._registered else f"it registers no {self.noun} of that name"
        except (Exception, SystemExit) as error:  # whatever a stranger's module does
            problem = f"{type(error).__name__}: {error}"
        if problem:
            package = f" of {point.dist.name}" if point.dist is not None else ""
            logger.warning("the plug-in %s (%s)%s is left out: %s", point.name, point.value, package, problem)


def plug_ins(group: str | None) -> list[EntryPoint]:
    """The entry points of installed packages in `group`, by name, without importing anything; None: none."""
    from importlib.metadata import entry_points

    return [] if group is None else sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _where(defined_by: object) -> tuple[str, str]:
    """The module of a function or class, and its full name there."""
    while isinstance(defined_by, functools.partial):
        defined_by = defined_by.func
    name = getattr(defined_by, "__qualname__", type(defined_by).__qualname__)
    module = getattr(defined_by, "__module__", None) or type(defined_by).__module__
    return module, f"{module}.{name}"
