"""Training: it learns, comes out the same from a seed, and writes what can be read again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.errors import WeightsError
from lumiscope.world import OBJECTS, SCENES, renderer_version
from lumiscope.world.networks import WorldNet, normalised
from lumiscope.world.pretrained import NAMES, load_weights, read_notes, save_weights, weights_file
from lumiscope.world.text import tokenise
from lumiscope.world.train import EPOCHS, main, train_one
from lumiscope.world.training.display import lines
from lumiscope.world.training.fit import BATCH, Task, fit, total_steps
from lumiscope.world.training.pictures import open_pictures, render_pictures

COUNT = 256
MOST_BYTES = 8e6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    render_pictures(folder, COUNT, 5, marks=3, workers=2)
    return folder


@pytest.fixture(scope="module")
def pictures(folder):
    return open_pictures(folder)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def states_equal(module, other):
    a, b = module.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.slow
def test_scenes_are_learnt_in_seconds(pictures):
    module = train_one("scenes", pictures, seed=0, epochs=9)
    assert not module.training
    with torch.no_grad():
        said = module(normalised(pictures.pixels[:].copy())).argmax(dim=1).numpy()
    assert (said == pictures.facts["scene"]).mean() > 0.7  # chance is 0.1


@pytest.mark.slow
def test_clip_learns_to_tell_scenes_from_their_names(pictures):
    module = train_one("clip", pictures, seed=0, epochs=9)
    with torch.no_grad():
        texts = module.embed_texts(torch.from_numpy(tokenise(SCENES)))
        images = module.embed_images(normalised(pictures.pixels[:].copy()))
    np.testing.assert_allclose(images.norm(dim=1), 1, rtol=1e-5)
    assert ((images @ texts.T).argmax(dim=1).numpy() == pictures.facts["scene"]).mean() > 0.5


@pytest.mark.parametrize("name", ["shortcut", "clip"])
def test_a_seed_gives_the_same_network_again(pictures, name):
    state = torch.get_rng_state()
    first, again, other = (train_one(name, pictures, seed, 0.1) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert states_equal(first, again)
    assert not states_equal(first, other)


def test_fitting_finds_the_mean():
    """A network of one number, whose loss is least at the mean of the "pictures" 0..127."""
    module = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(module.bias)
    seen = []

    def loss(indices, rng):
        seen.extend(indices)
        return ((module.bias - torch.from_numpy(indices) / 1000) ** 2).mean()

    losses = list(fit(Task(module, loss), 128, 100, np.random.default_rng(0)))
    assert len(losses) == total_steps(128, 100) == 100 * 128 / BATCH
    assert module.bias.item() == pytest.approx(63.5 / 1000, abs=2e-3)
    assert sorted(seen) == sorted([*range(128)] * 100)


def test_reports_come_with_steps_and_loss(pictures):
    reports = []
    train_one("scenes", pictures, 0, 3, lambda *said: reports.append(said))
    assert [(name, step, steps) for name, step, steps, _ in reports] == [
        ("scenes", 1, 12),
        ("scenes", 10, 12),
        ("scenes", 12, 12),
    ]
    assert all(note.startswith("loss ") for *_, note in reports)


def test_lines_are_written_at_the_start_the_end_and_now_and_then(capsys):
    show = lines(between=1000)
    for done in range(4):
        show("rendering", done, 3, "fine")
    show = lines(between=0)
    for done in range(3):
        show("training", done, 2)
    out, said = capsys.readouterr()
    assert not out
    assert said.splitlines() == [
        "rendering: 0 of 3, fine, begins",
        "rendering: 3 of 3, fine, done in 0.0 min",
        "training: 0 of 2, begins",
        "training: 1 of 2, about 0 min left",
        "training: 2 of 2, done in 0.0 min",
    ]


@pytest.mark.slow
def test_the_command_writes_weights_and_how_they_were_made(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lumiscope.world.train.MARKS", 2)  # only the shortcut's pictures; 1,200 of them by default
    given = ["--only", "objects", "--out", str(tmp_path), "--seed", "3", "--images", "70", "--effort", "0.1"]
    assert main([*given, "--workers", "1"]) == 0
    out, said = capsys.readouterr()
    assert out.split() == [str(tmp_path / "objects.safetensors")]
    assert "objects: 10 of 10" in said
    assert [path.name for path in tmp_path.iterdir()] == ["objects.safetensors"]
    notes = read_notes("objects", tmp_path)
    assert notes.pop("words").split() == list(OBJECTS)
    assert notes == {
        "name": "objects",
        "seed": "3",
        "images": "70",
        "epochs": f"{EPOCHS['objects'] * 0.1:g}",
        "steps": "10",
        "renderer": renderer_version(),
        "torch": torch.__version__,
    }
    load_weights(WorldNet(12), "objects", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--only", "object"], "did you mean objects"), (["--effort", "0"], "above 0"), (["--images", "-1"], "above 0")],
)
def test_wrong_options_are_refused(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_weights_come_back_in_half_precision(tmp_path):
    module, other = WorldNet(12), WorldNet(12)
    path = save_weights(module, "shortcut", tmp_path, {"seed": "1"})
    load_weights(other, "shortcut", tmp_path)
    for key, value in other.state_dict().items():
        assert value.dtype in (torch.float32, torch.int64)
        torch.testing.assert_close(value, module.state_dict()[key].half().to(value.dtype), rtol=0, atol=0)
    assert path.stat().st_size < 2.2 * sum(value.numel() for value in module.state_dict().values()) + 20_000


def test_weights_that_do_not_serve_are_errors(tmp_path):
    with pytest.raises(WeightsError, match=r"no weight file .*lumiscope.world.train"):
        load_weights(WorldNet(12), "objects", tmp_path)
    weights_file("objects", tmp_path).write_bytes(b"nothing of use")
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(WorldNet(12), "objects", tmp_path)
    save_weights(WorldNet(11), "objects", tmp_path, {})
    with pytest.raises(WeightsError, match="another version"):
        load_weights(WorldNet(12), "objects", tmp_path)
    weights_file("scenes", tmp_path).write_bytes(save_weights(WorldNet(12), "objects", tmp_path, {}).read_bytes())
    with pytest.raises(WeightsError, match="another version"):
        load_weights(WorldNet(12), "scenes", tmp_path)


def test_the_package_has_all_weights_within_8_megabytes():
    assert sum(weights_file(name).stat().st_size for name in NAMES) < MOST_BYTES
    for name in NAMES:
        assert {"seed", "images", "epochs", "steps", "renderer", "words"} <= read_notes(name).keys()
