"""Which isolation is taken, and what is said of it; the command of bubblewrap, also where there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import pytest

from lumiscope.errors import UsageError
from lumiscope.server.isolation import (
    GUARANTEES,
    KINDS,
    Bubblewrap,
    ChildLimits,
    Landlock,
    Rlimits,
    choose_isolation,
    run_child,
)


class Boastful(Rlimits):
    name: ClassVar[str] = "boastful"
    strength: ClassVar[str] = "strong"


class Broken(Rlimits):
    name: ClassVar[str] = "broken"

    def command(self, python, readable, file_bytes):
        return [sys.executable, "-c", "raise SystemExit('no namespace may be made')"]


def test_the_strongest_that_works_is_taken():
    isolation = choose_isolation()
    facts = isolation.facts()
    assert isolation.name == [kind.name for kind in KINDS][len(isolation.passed_over)]
    assert facts["proved"].keys() == set(GUARANTEES.values())
    assert (isolation.strength == "weak") == (not all(facts["proved"].values()))


def test_a_weak_one_says_what_it_does_not_hold():
    isolation = choose_isolation([Rlimits])
    assert isolation.proof["disk"]
    assert not any(isolation.proof[name] for name in ("network", "files", "changes", "signals", "parent"))
    assert isolation.sentence().startswith("isolation: rlimits (weak); not held: it opens no socket, ")
    assert Rlimits().sentence() == "isolation: rlimits (weak); no child has tried to get out"


def test_who_does_not_hold_what_it_says_is_passed_over():
    isolation = choose_isolation([Boastful, Broken, Rlimits])
    boastful, broken = isolation.passed_over
    assert isolation.name == "rlimits"
    assert boastful.startswith("boastful: it does not hold here against: network, files")
    assert broken.startswith("broken: a child could not be run: it ended without an answer, with exit code 1; its last")
    assert broken.endswith("no namespace may be made")


def test_nothing_that_works_is_an_error_of_use(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=r"no child process can be held in .* apt-get install bubblewrap"):
        choose_isolation([Bubblewrap])


def test_without_landlock_it_is_not_tried(monkeypatch):
    monkeypatch.setattr("lumiscope.server.isolation.landlock.landlock_version", lambda: 0)
    assert "this kernel has no Landlock" in Landlock().lacking()


def test_the_command_of_bubblewrap(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "truth").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "images")
    command = Bubblewrap().command(["python", "-m", "child"], [tmp_path / "link"], 0)
    for flag in ("--unshare-all", "--die-with-parent", "--new-session"):
        assert flag in command
    assert command[-6:] == ["--chdir", "/", "--", "python", "-m", "child"]
    binds = {
        Path(inside)
        for flag, _, inside in zip(command, command[1:], command[2:], strict=False)
        if flag == "--ro-bind-try"
    }
    assert {tmp_path / "link", tmp_path / "images"} <= binds
    sealed = (tmp_path / "truth", Path("/etc/shadow"), Path.home())
    assert not [path for path in sealed for bind in binds if path.is_relative_to(bind)]
    assert "--bind" not in command
    assert "--tmpfs" not in command
    assert command.index("--remount-ro") > max(at for at, flag in enumerate(command) if flag == "--ro-bind-try")


def test_scratch_of_bubblewrap_is_of_limited_size():
    command = Bubblewrap().command(["python"], [], 12345)
    at = command.index("--tmpfs")
    assert command[at - 2 : at + 2] == ["--size", "12345", "--tmpfs", "/scratch"]


@pytest.mark.parametrize("limits", [{"memory_bytes": 1}, {"wall_seconds": 0}, {"cpu_seconds": float("nan")}])
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(UsageError, match="of a child: expected a finite number from"):
        ChildLimits(**limits)


def test_a_request_that_is_no_json_starts_no_child():
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_child(Rlimits(), "a:b", {"x": float("nan")}, {}, ChildLimits())
