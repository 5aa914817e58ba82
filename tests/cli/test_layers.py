"""`lumiscope layers`: addresses of class tokens, and the roles that layers have."""

from __future__ import annotations

import json
import sys

import pytest

from lumiscope.cli import main

VIT = ["timm:vit_tiny_patch16_224", "--weights", "random"]
RESNET = ["timm:resnet18", "--weights", "random", "--input-size", "64"]


def layer_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> dict[str, dict[str, object]]:
    monkeypatch.setattr(sys, "argv", ["lumiscope", "layers", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return {row["layer"]: row for row in json.loads(capsys.readouterr().out)}


def test_a_vit_has_class_tokens_and_blocks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows = layer_rows(monkeypatch, capsys, VIT)
    assert rows["blocks.11"]["class_token"] == "blocks.11@class"
    assert rows["patch_embed"]["class_token"] == rows["head"]["class_token"] == ""
    assert rows["blocks.11.norm1"]["role"] == "target"
    assert [name for name, row in rows.items() if row["role"] == "block"] == [f"blocks.{n}" for n in range(12)]


def test_a_resnet_has_stages_and_no_class_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = layer_rows(monkeypatch, capsys, RESNET)
    assert {row["class_token"] for row in rows.values()} == {""}
    roles = {name: row["role"] for name, row in rows.items() if row["role"]}
    stages = dict.fromkeys(["act1", "layer1", "layer2", "layer3"], "stage")
    assert roles == {**stages, "layer4": "target"}
