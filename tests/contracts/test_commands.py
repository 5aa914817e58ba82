"""Every command explains itself, gives its data as JSON, and is documented."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from typer.main import get_command

from lumiscope.cli.command import COMMANDS
from lumiscope.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = "\n".join(page.read_text() for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))
SAID_IN_ONE = ("models", "concepts")
NO_DATA = ("report", "serve", "worker", "server backup", "server restore")  # what they do is no data


def built(name: str):
    """The command as the command line has it."""
    command = get_command(app)
    for word in name.split():
        command = command.commands[word]
    return command


every_command = pytest.mark.parametrize("name", list(COMMANDS))


@every_command
def test_a_command_begins_with_a_sentence_and_says_more(name):
    first, _, more = (built(name).help or "").partition("\n\n")
    assert first.endswith(".")
    assert "\n" not in first
    assert more or name in SAID_IN_ONE, "what may be expected of it, or an example"


@every_command
def test_every_option_says_what_it_is(name):
    for parameter in built(name).params:
        assert parameter.help, parameter.name


@every_command
def test_data_come_as_json(name):
    options = {option for parameter in built(name).params for option in parameter.opts}
    assert ("--json" in options) == (name not in NO_DATA)


@every_command
def test_a_command_is_documented(name):
    assert f"lumiscope {name}" in PAGES


@every_command
def test_a_command_lies_in_the_file_of_its_name(name):
    assert Path(inspect.getsourcefile(inspect.unwrap(COMMANDS[name].run))).stem == name.partition(" ")[0]
