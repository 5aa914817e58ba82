"""What others wrote reaches no terminal as a command: control characters are shown as escapes."""

from __future__ import annotations

import json
import logging

import pytest
import torch

from lumiscope.cli.main import _WarningsToStderr
from lumiscope.cli.output import print_json, print_rows, say
from lumiscope.counts import counted
from lumiscope.errors import LumiscopeError, UnknownNameError, WeightsError
from lumiscope.models import weights
from lumiscope.printable import printable

COMMANDS = "a\x1b[2J\x07\x9b1m\u202eé"
SHOWN = r"a\x1b[2J\x07\x9b1m\u202eé"


def test_escapes():
    assert printable(COMMANDS) == SHOWN
    assert printable("a\nb\tc\rd", keep="\n\t") == "a\nb\tc\\rd"
    assert printable("great white shark, Ü 鱼") == "great white shark, Ü 鱼"
    assert printable("\udcff") == r"\udcff"
    assert printable(counted(1920, "unit") + "\u200b") == "1\u202f920 units\\u200b"


def test_every_error_shows_them_and_keeps_its_lines():
    assert str(LumiscopeError(f"first\n{COMMANDS}")) == f"first\n{SHOWN}"
    assert f"known: {SHOWN}" in str(UnknownNameError("layer", "zzzzzz", [COMMANDS]))


def test_talk_warnings_and_tables(capsys):
    say(COMMANDS)
    _WarningsToStderr().emit(logging.makeLogRecord({"msg": "%s", "args": (COMMANDS,)}))
    print_rows([{"class": COMMANDS, "list": [COMMANDS]}], ["class", "list"], as_json=False)
    assert capsys.readouterr() == (f"class\tlist\n{SHOWN}\t{SHOWN}\n", f"{SHOWN}\nlumiscope: {SHOWN}\n")


def test_json_stays_json(capsys):
    print_json({"class": COMMANDS})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"class": COMMANDS}
    assert printed == '{\n "class": "a\\u001b[2J\\u0007\\u009b1m\\u202eé"\n}\n'


def test_keys_of_a_checkpoint(tmp_path):
    network = torch.nn.Linear(2, 3)
    torch.save({**network.state_dict(), COMMANDS: torch.ones(1)}, tmp_path / "w.pt")
    fit = weights.fit_weights(network, weights.read_checkpoint(tmp_path / "w.pt"), partial=False)
    assert fit.notes == (f"1 tensor beside the weights left over: {SHOWN}",)
    torch.save({COMMANDS: torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(WeightsError) as caught:
        weights.fit_weights(network, weights.read_checkpoint(tmp_path / "w.pt"), partial=False)
    assert printable(str(caught.value), keep="\n") == str(caught.value)
