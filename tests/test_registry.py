"""The one registry: names, order, wildcards, duplicates, and entries that lie in files and in plug-ins."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from lumiscope import code_digest
from lumiscope import registry as registry_module
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.registry import Registry


def pear() -> None: ...


def apple() -> None: ...


def fruits(**options: object) -> Registry[int]:
    registry: Registry[int] = Registry("fruit", **options)  # type: ignore[arg-type]
    registry.register("pear", 1, defined_by=pear)
    registry.register("apple", 2, defined_by=apple)
    return registry


def test_is_a_mapping_in_the_order_of_registration() -> None:
    registry = fruits()
    assert dict(registry) == {"pear": 1, "apple": 2}
    assert registry.names() == ("pear", "apple")
    assert len(registry) == 2
    assert "pear" in registry
    assert "plum" not in registry
    assert registry.get("plum") is None
    assert registry.get("plum", 7) == 7
    assert registry.get("pear", 7) == 1


def test_an_order_that_was_asked_for_comes_first() -> None:
    registry = fruits()
    registry.register("plum", 3, defined_by=fruits, order=-1)
    assert registry.names() == ("plum", "pear", "apple")


def test_an_unknown_name_has_the_nearest_and_the_hint() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown fruit 'aple': did you mean apple or pear\? See the basket\."):
        fruits(hint="See the basket.")["aple"]
    with pytest.raises(UnknownNameError, match=r"unknown fruit 'xyz': known: pear, apple, any\. 2 of them\."):
        fruits(hint=lambda: "2 of them.", also=["any"])["xyz"]


def test_wildcards_give_each_name_once_in_the_order_asked_for() -> None:
    registry = fruits()
    registry.register("pineapple", 3, defined_by=fruits)
    assert registry.select(["*apple", "*"]) == ["apple", "pineapple", "pear"]
    assert registry.select(["pear", "pear"]) == ["pear"]
    assert registry.select(["*apple"], among=["pear", "pineapple"]) == ["pineapple"]
    assert registry.select(["*apple", "apple"], among=["pear"]) == ["apple", "pineapple"]
    with pytest.raises(UnknownNameError, match="unknown fruit 'peer': did you mean pear"):
        registry.select(["apple", "peer"])
    with pytest.raises(UnknownNameError, match=r"unknown fruit 'plum\*'"):
        registry.select(["plum*"])


def test_two_definitions_of_one_name_are_an_error_that_names_both_places() -> None:
    with pytest.raises(UsageError, match=r"one fruit called 'pear'.*\.pear and again in .*\.apple\. Give one"):
        fruits().register("pear", 9, defined_by=functools.partial(apple))


def test_the_same_definition_may_come_again() -> None:
    registry = fruits()
    code_digest.code_digest(frozenset([__name__]))
    assert code_digest.code_digest.cache_info().currsize > 0
    registry.register("pear", 9, defined_by=functools.partial(pear))
    assert dict(registry) == {"pear": 9, "apple": 2}
    assert code_digest.code_digest.cache_info().currsize == 0, "its module may have been reloaded: it is read anew"


LEAF = """
from basket.register import FRUITS

def make(): ...

for name in {names}:
    FRUITS.register(name, {value}, defined_by=make)
"""


@pytest.fixture
def basket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `basket` with a registry of what is in `basket.fruits`, on the path."""
    folder = tmp_path / "basket" / "fruits"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder.parent / "register.py").write_text(
        "from lumiscope.registry import Registry\nFRUITS = Registry('fruit', package='basket.fruits')\n"
    )
    (folder / "citrus.py").write_text(LEAF.format(names=["lime", "citron"], value=1))
    (folder / "berries.py").write_text(LEAF.format(names=["currant"], value=2))
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "basket"]:
        del sys.modules[name]


def test_files_are_found_and_their_order_does_not_depend_on_who_imports_them_first(basket: Path) -> None:
    import basket.fruits.citrus  # type: ignore[import-not-found]  # noqa: F401
    from basket.register import FRUITS  # type: ignore[import-not-found]

    FRUITS.register("apple", 3, defined_by=apple)
    assert list(FRUITS.items()) == [("currant", 2), ("lime", 1), ("citron", 1), ("apple", 3)]


def test_a_module_may_look_into_the_registry_while_it_is_filled(basket: Path) -> None:
    (basket / "apricots.py").write_text("from basket.register import FRUITS\nSEEN = FRUITS.names()\n")
    from basket.register import FRUITS

    assert FRUITS.names() == ("currant", "lime", "citron")
    assert sys.modules["basket.fruits.apricots"].SEEN == ("currant", "lime", "citron")


@pytest.fixture
def plug_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry[int]]:
    """A registry whose plug-ins are modules with the given sources; each one named as its module."""

    def make(**sources: str) -> Registry[int]:
        registry = fruits(group="market.fruits")
        monkeypatch.setattr(registry_module, "MARKET", registry, raising=False)
        for name, source in sources.items():
            (tmp_path / f"market_{name}.py").write_text(f"from lumiscope.registry import MARKET\n{source}")
        points = [EntryPoint(name, f"market_{name}", "market.fruits") for name in sources]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if group == "market.fruits" else [])
        return registry

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for name in [name for name in sys.modules if name.startswith("market_")]:
        del sys.modules[name]


STALL = "def grow(): ...\nMARKET.register({!r}, 5, defined_by=grow)\n"


def test_plug_ins_come_last_by_name(plug_ins: Callable[..., Registry[int]]) -> None:
    registry = plug_ins(fig=STALL.format("fig"), date=STALL.format("date"))
    assert registry.names() == ("pear", "apple", "date", "fig")
    assert registry["fig"] == 5


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (STALL.format("pear"), "UsageError: expected one fruit called 'pear'"),
        (STALL.format("other"), "it registers no fruit of that name"),
    ],
)
def test_a_plug_in_that_fails_is_warned_of_once_and_breaks_nothing(
    plug_ins: Callable[..., Registry[int]], caplog: pytest.LogCaptureFixture, source: str, problem: str
) -> None:
    registry = plug_ins(bad=source, good=STALL.format("good"))
    assert registry["good"] == 5
    assert {"pear", "apple", "good"} <= set(registry)
    (warning,) = caplog.messages
    assert warning.startswith(f"the plug-in bad (market_bad) is left out: {problem}")
