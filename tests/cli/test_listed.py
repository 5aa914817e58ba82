"""Help texts list what is registered, though they only read the source."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lumiscope.agreement import MASK_RULES
from lumiscope.attribution.regions.segmenters import SEGMENTERS
from lumiscope.cli._listed import LISTS
from lumiscope.cli.command import COMMANDS
from lumiscope.cli.main import app
from lumiscope.dissection import SIMILARITIES
from lumiscope.models import BACKENDS, SOURCES
from lumiscope.scorers import SCORERS


@pytest.mark.parametrize(
    ("placeholder", "registered"),
    [
        ("{backends}", ["auto", *BACKENDS]),
        ("{mask_rules}", [rule.form for rule in MASK_RULES.values()]),
        ("{scorers}", [scheme.form for scheme in SCORERS.values()]),
        ("{scorers and what they are}", [f"{scheme.form} ({scheme.title})" for scheme in SCORERS.values()]),
        ("{segmenters}", [*SEGMENTERS]),
        ("{similarities}", [*SIMILARITIES]),
    ],
)
def test_lists_are_what_is_registered(placeholder: str, registered: list[str]) -> None:
    assert sorted(re.split(r", | or |\|", LISTS[placeholder]())) == sorted(
        part for entry in registered for part in re.split(r", | or ", entry)
    )


def help_of(command: str) -> str:
    result = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="lumiscope")
    assert result.exit_code == 0
    usage, _, text = result.output.partition("\n\n")
    assert usage.startswith(f"Usage: lumiscope {command}")
    return " ".join(text.split())


@pytest.mark.parametrize("command", list(COMMANDS))
def test_no_placeholder_is_left_and_every_model_in_an_example_has_a_source(command: str) -> None:
    text = help_of(command)
    assert not re.findall(r"\{\w*\}", text.replace("'a photo of a {}'", ""))
    for spec in re.findall(r"A spec \((.*?)\)", text):
        assert {form.partition(":")[0] for form in spec.split(", ")} <= {*SOURCES}


def test_commands_are_in_their_order_and_groups_come_last() -> None:
    listed = re.findall(r"^  ([a-z]+) ", CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2], re.M)
    assert listed == list(dict.fromkeys(name.partition(" ")[0] for name in COMMANDS))
    assert listed[0] == "run"
    assert listed[-1] == "server"


@pytest.mark.parametrize("command", ["", "run", "tune lime"])
def test_help_imports_no_room(command: str) -> None:
    code = (
        f"import sys; sys.argv = ['lumiscope', *{command.split()!r}, '--help']\n"
        "from lumiscope.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'torch', 'numpy', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: lumiscope" in done.stdout
    assert done.stderr == "[]\n"
