"""What the report asks of a run is written down: the fake run has it, and so has the real one. No torch is needed."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from lumiscope.runs import Run, RunReader

MEMBERS = [name for name, member in vars(RunReader).items() if not name.startswith("_") and callable(member)]
PROPERTIES = [name for name, member in vars(RunReader).items() if isinstance(member, property)]
WITHOUT_TORCH = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from fake_run import fake_run
from lumiscope.report import write_report, write_unit_page
from lumiscope.runs import UnitRow
run = fake_run(Path(sys.argv[2]))
write_report(run)
write_unit_page(run, run.rows(UnitRow)[7], run.folder / "unit.html")
print([name for name in ("torch", "timm", "openvino", "matplotlib", "skimage") if name in sys.modules])
"""


def signature(member: object) -> list[tuple[str, object, object]]:
    parameters = inspect.signature(member).parameters.values()
    return [(parameter.name, parameter.kind, parameter.annotation) for parameter in parameters]


def test_the_fake_run_has_what_the_protocol_says(fakes, run) -> None:
    assert {"rows", "saliency_map", "mask", "view"} <= set(MEMBERS)
    for name in MEMBERS:
        expected = inspect.signature(getattr(RunReader, name))
        for kind in (Run, fakes.FakeRun):
            assert signature(getattr(kind, name)) == signature(getattr(RunReader, name)), (kind, name)
            assert inspect.signature(getattr(kind, name)).return_annotation == expected.return_annotation, (kind, name)
    assert {"name", "folder", "manifest", "memo"} <= set(PROPERTIES)
    assert all(hasattr(run, name) for name in PROPERTIES)


def test_a_report_needs_no_torch(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(Path(__file__).parent), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "unit.html"]
