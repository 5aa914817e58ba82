from __future__ import annotations

import dataclasses
import os
import tomllib
from pathlib import Path

import pytest

from lumiscope.errors import UsageError
from lumiscope.study import ModelConfig, Study, load_model_config, load_study, save_study
from lumiscope.study.config import TABLES

MODEL = {"spec": "timm:resnet18"}


def test_save_and_load_give_the_same_study_from_another_folder(tmp_path: Path) -> None:
    study = Study(
        images=str(tmp_path / "a" / "x.csv"),
        probe=str(tmp_path / "b"),
        scorer=f"table:{tmp_path}/t.npz",
        concepts="visual",
        models=[
            ModelConfig(
                spec="timm:resnet18", name="mine", weights=str(tmp_path / "w.pth"), options={"pad_type": "same"}
            ),
            ModelConfig(spec="python:m:f", weights="random", mean=[0.1, 0.2, 0.3]),
        ],
        options={"lime": {"num_samples": 7, "hide_color": [1, 2, 3]}},
        masks={"lime": "lime"},
        image_options=str(tmp_path / "o.json"),
        lime_params=str(tmp_path / "p.json"),
        annotations=str(tmp_path / "labels"),
        runs=str(tmp_path / "results"),
    )
    file = tmp_path / "deep" / "down" / "study.toml"
    save_study(study, file)
    assert load_study(file).model_dump() == study.model_dump()
    assert str(tmp_path) not in file.read_text(), "paths are relative to the file"


def test_paths_are_relative_to_the_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.toml").write_text('images = "pics"\n[[models]]\nspec = "timm:resnet18"\nweights = "w.pt"\n')
    monkeypatch.chdir("/")
    study = load_study(tmp_path / "s.toml")
    assert study.explain.images == os.path.join(tmp_path, "pics")
    assert study.models[0].weights == os.path.join(tmp_path, "w.pt")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('images = "x"\nmethod = ["gradcam"]\n[[models]]\nspec = "timm:a"', "did you mean methods"),
        ('images = "x"\n[[models]]\nspec = "timm:a"\nweight = "w"', "did you mean weights"),
        ('images = "x"\n[[models]]\nname = "a"', "spec"),
        ('images = "x"\nmodels = []', "models"),
        ('images = "x"\nseed = -1\n[[models]]\nspec = "timm:a"', "seed"),
        ("images = ", "not valid TOML"),
        (
            '[explain]\nmethod = ["gradcam"]\n[[models]]\nspec = "timm:a"',
            "unknown field explain.method: did you mean methods",
        ),
        ('seed = 1\n[run]\nseed = 2\n[[models]]\nspec = "timm:a"', "seed is given twice: inside the table run"),
        ('fdr = 0\n[[models]]\nspec = "timm:a"', "dissect.fdr"),
        ('name = "a/b"\n[[models]]\nspec = "timm:a"', "expected a name of letters, digits, spaces"),
    ],
)
def test_mistakes_in_a_study_file_name_the_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        load_study(tmp_path / "s.toml")


def test_a_model_file_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('spec = "timm:resnet18"\nname = "m"\nmean = 0.5\nclasses = "c.txt"\n')
    config = load_model_config(tmp_path / "m.toml")
    assert (config.name, config.mean, config.classes) == ("m", 0.5, str(tmp_path / "c.txt"))


def test_model_names_are_short_and_never_alike() -> None:
    specs = [
        "timm:resnet50.a1_in1k",
        "timm:resnet50.a2_in1k",
        "torchvision:resnet50@IMAGENET1K_V2",
        "timm:resnet50.a1_in1k",
    ]
    names = Study(images="x", models=[ModelConfig(spec=spec) for spec in specs]).model_names
    assert names[:2] == ["resnet50", "resnet50.a2_in1k"]
    assert len(set(names)) == 4
    with pytest.raises(ValueError, match="two models are called a"):
        Study(images="x", models=[ModelConfig(spec="timm:b", name="a"), ModelConfig(spec="timm:c", name="a")])


def test_models_of_one_spec_are_numbered_from_2_where_no_longer_name_is_left() -> None:
    models = [ModelConfig(spec="timm:resnet50.a1_in1k")] * 4
    assert Study(images="x", models=models).model_names == [
        "resnet50", "resnet50.a1_in1k", "resnet50-2", "resnet50-3"
    ]  # fmt: skip


def test_a_field_stands_in_its_table_or_outside_of_it_and_is_saved_inside(tmp_path: Path) -> None:
    (tmp_path / "loose.toml").write_text('images = "p"\nseed = 3\nfdr = 0.1\n[[models]]\nspec = "timm:a"\n')
    (tmp_path / "tables.toml").write_text(
        '[explain]\nimages = "p"\n[run]\nseed = 3\n[dissect]\nfdr = 0.1\n[[models]]\nspec = "timm:a"\n'
    )
    study = load_study(tmp_path / "loose.toml")
    assert study == load_study(tmp_path / "tables.toml")
    assert (study.explain.images, study.run.seed, study.dissect.fdr) == (str(tmp_path / "p"), 3, 0.1)
    save_study(study, tmp_path / "saved.toml")
    content = tomllib.loads((tmp_path / "saved.toml").read_text())
    assert content == {
        "run": {"seed": 3}, "explain": {"images": "p"}, "dissect": {"fdr": 0.1}, "models": [{"spec": "timm:a"}]
    }  # fmt: skip


def test_no_two_tables_have_a_field_of_the_same_name() -> None:
    names = [field.name for table in TABLES.values() for field in dataclasses.fields(table)]
    assert len(names) == len(set(names))
    assert not {*TABLES, "models"} & set(names)


def test_the_run_name_says_at_most_60_characters_of_what_it_is_and_the_folder_is_called_so() -> None:
    study = Study(images="y" * 50, models=[ModelConfig(spec="timm:resnet18"), ModelConfig(spec="timm:vgg11")])
    assert study.run_name[:-8] == f"{'y' * 50}-resnet18--"
    assert study.folder == Path("runs") / study.run_name


def test_the_run_name_is_found_again_and_changes_with_the_study() -> None:
    study = Study(images="data/labels.csv", models=[ModelConfig(spec="timm:resnet18")])
    again = Study(images="data/labels.csv", models=[ModelConfig(spec="timm:resnet18")], runs="elsewhere")
    other = Study(images="data/labels.csv", models=[ModelConfig(spec="timm:resnet18")], seed=1)
    assert study.run_name == again.run_name != other.run_name
    assert study.run_name.startswith("data-resnet18-")


@pytest.mark.parametrize(
    ("fields", "said"),
    [({}, "--images"), ({"probe": "p"}, "--scorer"), ({"images": "i", "scorer": "table:x"}, "--probe")],
)
def test_parts_that_do_not_go_together(fields: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Study(models=[ModelConfig(**MODEL)], **fields).check()


@pytest.mark.parametrize(
    "fields",
    [{"images": "i"}, {"probe": "p", "scorer": "table:x"}, {"images": "i", "probe": "p", "scorer": "table:x"}],
)
def test_parts_that_go_together(fields: dict[str, str]) -> None:
    Study(models=[ModelConfig(**MODEL)], **fields).check()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 100_000, "not valid TOML: it is nested too deep"),
        ("a" + ".a" * 5000 + " = 1", "not valid TOML: it is nested too deep"),
        ("models = 1", "models: "),
        ("models = []", "models: "),
        ('models = ["x"]', "models.0: "),
        ('images = "world:1"\nrun = 1\n[[models]]\nspec = "x"', "run: "),
        ('images = "world:1"\nexplain = 1\n[[models]]\nspec = "x"', "expected explain to be a table; got 1"),
        ('models = [{ spec = "x" }]\nseed = nan', "run.seed: "),
        ('models = [{ spec = "x" }]\nseed = true', "seed is no switch; got true"),
        ('models = [{ spec = "x", input_size = true }]', "input_size is no switch; got true"),
        ('models = [{ spec = ["' + "y" * 10_000 + '"] }]', "models.0.spec: "),
        ("\x00", "not valid TOML: "),
    ],
)
def test_toml_of_any_shape_is_refused_in_words(tmp_path, text, words):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_study(tmp_path / "study.toml")
    assert words in str(caught.value)
    assert str(tmp_path / "study.toml") in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_study_that_is_no_file_or_too_large_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    with (tmp_path / "vast.toml").open("wb") as file:
        file.truncate(10 * 2**30)
    words = {"pipe.toml": "a pipe or a device", "folder.toml": "a folder", "vast.toml": "more than 2,097,152 bytes"}
    for name, said in {**words, "absent.toml": "No such file"}.items():
        with pytest.raises(UsageError, match=rf"expected a TOML file at {tmp_path / name}: .*{said}"):
            load_study(tmp_path / name)
