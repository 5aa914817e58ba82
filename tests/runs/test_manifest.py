"""What manifest.json says of a run, and which manifests are refused in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lumiscope.errors import StoreError
from lumiscope.runs import Manifest, Timing, UnitRow, to_arrow, write_tables
from lumiscope.runs.manifest import read_manifest
from lumiscope.testing import fake_row

LEAST = {
    "format": 2,
    "name": "cells",
    "lumiscope": "0.2.0",
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:00:09+00:00",
    "seconds": 9.0,
    "seed": 0,
    "target": "predicted",
    "machine": {"system": "Linux", "python": "3.12", "processor": "x", "cores": 2, "threads": 1},
    "versions": {"torch": "2"},
}


def read(folder: Path, content: object) -> Manifest:
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    return read_manifest(path, "lumiscope run study.toml")


def test_what_a_study_has_no_part_for_is_none_or_empty(tmp_path: Path) -> None:
    manifest = read(tmp_path, LEAST)
    facts = manifest.model_dump()
    assert {name: facts.pop(name) for name in LEAST} == LEAST
    assert facts.pop("skipped") == 0
    assert set(map(repr, facts.values())) == {"None", "{}", "()"}
    assert (manifest.mask_rules, manifest.titles) == ({}, {})


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = Manifest.model_validate({**LEAST, "skipped": 3, "fdr": 0.05, "name": "Zellen in Öl"})
    manifest.write(tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json", "again") == manifest


@pytest.mark.parametrize("unknown", [0, 3, 99, "2", None, [2]])
def test_a_run_of_an_unknown_format_is_refused(tmp_path: Path, unknown: object) -> None:
    with pytest.raises(StoreError, match=r"have another format: .*, where this lumiscope reads 2\. Run it again: lumi"):
        read(tmp_path, {**LEAST, "format": unknown})


def test_a_run_of_lumiscope_0_1_did_not_say_its_format(tmp_path: Path) -> None:
    for older in ({**LEAST, "format": 1}, {name: value for name, value in LEAST.items() if name != "format"}):
        with pytest.raises(StoreError, match="have an older format: 1, where this lumiscope reads 2"):
            read(tmp_path, older)


def test_a_folder_in_its_place_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(StoreError, match=r"it is a folder, where a file is expected\. .*Run it again: again") as caught:
        read_manifest(tmp_path / "manifest.json", "again")
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("content", [[], None, 2, {**LEAST, "seed": "x"}, {**LEAST, "colour": 1}, {"format": 2}])
def test_a_damaged_one_says_how_to_go_on(tmp_path: Path, content: object) -> None:
    with pytest.raises(StoreError, match=r"manifest\.json is damaged: .*Run it again: lumiscope run study\.toml"):
        read(tmp_path, content)


FACTS = sorted(set(LEAST) - {"format", "lumiscope"})


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_that_somebody_changed_is_noticed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "manifest.json"
    Manifest.model_validate({**LEAST, "versions": {}}).write(path)
    written = json.loads(path.read_text())
    other = {"seconds": 9.5, "seed": 1, "versions": {"torch": "3"}, "machine": {**LEAST["machine"], "cores": 3}}
    path.write_text(json.dumps({**written, name: other.get(name, "other")}))
    with pytest.raises(
        StoreError, match=r"is damaged: its facts are not those that the run wrote\. Run it again: again"
    ):
        read_manifest(path, "again")


def test_the_digest_is_of_facts_not_of_their_layout(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    manifest = Manifest.model_validate({**LEAST, "name": "Zellen in Öl", "seconds": 0.1 + 0.2})
    manifest.write(path)
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    assert read_manifest(path, "again") == manifest


def test_a_manifest_of_an_earlier_version_has_no_digest(tmp_path: Path) -> None:
    assert read(tmp_path, {**LEAST, "seed": 5}).seed == 5


def test_what_was_not_computed_came_from_the_store() -> None:
    assert Timing(model="m", method="lime", images=9, computed=2, seconds_each=1.0).stored == 7


READ = """
import os, sys
from lumiscope.runs import Run
run, threads = Run.open(sys.argv[1]), lambda: len(os.listdir("/proc/self/task"))
before = threads()
assert run.table("units").num_rows == 1
print(threads() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted as Linux lists them")
def test_reading_a_table_leaves_no_thread(tmp_path: Path) -> None:
    """One of Arrow's that lives when Python ends ended one command in a hundred with an abort."""
    (tmp_path / "study.toml").touch()
    (tmp_path / "manifest.json").write_text(json.dumps(LEAST))
    write_tables({"units": to_arrow(UnitRow, [fake_row(UnitRow)])}, tmp_path / "tables")
    said = subprocess.run([sys.executable, "-c", READ, str(tmp_path)], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"
