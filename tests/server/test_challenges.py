"""Challenges: made, opened, checked, and silent about their true masks."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import WorldImage
from lumiscope.server.challenges import (
    Challenge,
    Limits,
    check_challenge,
    make_challenge,
    make_world_challenge,
    open_challenge,
    parse_limits,
)
from lumiscope.server.challenges.opening import public_names
from lumiscope.study import ModelConfig

NO_BASELINES = "is empty: nothing says what a hand-in must beat"


def test_true_masks_and_pictures_are_those_of_the_source(challenge: Challenge) -> None:
    assert challenge.names == tuple(f"picture-{number:02}" for number in range(1, 5))
    for index, image in enumerate(challenge.images):
        drawn = WorldImage(index, 3)
        assert (challenge.truth(image.name) == drawn.mask).all()
        assert (image.item.pixels == drawn.pixels).all()
        assert image.target == drawn.class_name


def test_the_split_has_both_sides(challenge: Challenge) -> None:
    assert len(challenge.public) == len(challenge.hidden) == 2
    assert {image.name for image in (*challenge.public, *challenge.hidden)} == set(challenge.names)


def test_only_its_owner_may_look_at_the_truth(challenge: Challenge) -> None:
    assert stat.S_IMODE((challenge.folder / "truth").stat().st_mode) == 0o700


def test_nothing_public_tells_how_to_draw_the_pictures(tmp_path: Path) -> None:
    first, second = (make_world_challenge(tmp_path / name, images="world:2@8") for name in ("a", "b"))
    facts = json.dumps(first.public_facts())
    assert "truth" not in facts
    assert str(tmp_path) not in facts
    assert "world-8" not in facts
    assert first.fingerprint == second.fingerprint
    drawn = {make_world_challenge(tmp_path / name).fingerprint for name in ("c", "d")}
    assert len(drawn) == 2, "a secret seed each time"


def test_a_challenge_opens_without_its_truth(written_challenge: Path) -> None:
    shutil.rmtree(written_challenge / "truth")
    opened = open_challenge(written_challenge)
    assert opened.public_facts()["name"] == "world"
    assert any("truth is missing" in remark for remark in check_challenge(written_challenge))


def test_the_fingerprint_follows_what_scores_depend_on(written_challenge: Path) -> None:
    before = open_challenge(written_challenge).fingerprint
    file = written_challenge / "challenge.toml"
    text = file.read_text()
    file.write_text(text.replace("scored_a_day = 10", "scored_a_day = 3").replace('title = "', 'title = "New: '))
    assert open_challenge(written_challenge).fingerprint == before
    file.write_text(text.replace("num_samples = 2000", "num_samples = 1999"))
    assert open_challenge(written_challenge).fingerprint != before
    file.write_text(text)
    mask = written_challenge / "truth" / "picture-01.png"
    Image.fromarray(255 - np.array(Image.open(mask))).save(mask)
    assert open_challenge(written_challenge).fingerprint != before


def test_every_remark_of_a_spoilt_challenge(written_challenge: Path) -> None:
    assert check_challenge(written_challenge) == [f"{written_challenge / 'baselines'} {NO_BASELINES}"]
    truth = written_challenge / "truth"
    Image.fromarray(np.zeros((128, 128), np.uint8)).save(truth / "picture-01.png")
    Image.fromarray(np.full((64, 128), 255, np.uint8)).save(truth / "picture-02.png")
    (truth / "stranger.png").write_bytes((truth / "picture-03.png").read_bytes())
    file = written_challenge / "challenge.toml"
    file.write_text(file.read_text().replace("    128,\n    128,\n", "    64,\n    128,\n"))
    (written_challenge / "baselines" / "mine.json").write_text("{}")
    assert check_challenge(written_challenge) == [
        f"{truth / 'stranger.png'} is the mask of no image",
        "the model sees (128, 128) pixels (height, width), view says (64, 128)",
        "picture-01: nothing of its mask is on what the model sees",
        "picture-02: its mask has 64 x 128 pixels, the picture 128 x 128",
    ]
    truth.chmod(0o755)
    assert any("can be read by others" in remark for remark in check_challenge(written_challenge))


def test_masks_of_a_folder_belong_to_pictures_by_name(tmp_path: Path) -> None:
    for folder in ("pictures", "masks"):
        (tmp_path / folder).mkdir()
    for index, name in enumerate(("n01443537_goldfish", "kite")):
        Image.fromarray(WorldImage(index).pixels).save(tmp_path / "pictures" / f"{name}.png")
        Image.fromarray(WorldImage(index).mask).save(tmp_path / "masks" / f"{name.split('_')[-1]}.png")
    made = make_challenge(
        tmp_path / "made",
        images=tmp_path / "pictures",
        masks=tmp_path / "masks",
        model=ModelConfig(spec="world:objects"),
        public=["kite"],
    )
    assert made.names == ("goldfish", "kite")
    assert [image.public for image in made.images] == [False, True]
    assert [image.target for image in made.images] == [None, None]
    assert (made.truth("goldfish") == WorldImage(0).mask).all()
    with pytest.raises(UsageError, match="holds something"):
        make_challenge(tmp_path / "made", images=tmp_path / "pictures", model=ModelConfig(spec="world:objects"))
    (tmp_path / "masks" / "kite.png").unlink()
    with pytest.raises(UsageError, match=r"1 picture cannot be scored: kite\.png: it has no mask"):
        make_challenge(
            tmp_path / "more",
            images=tmp_path / "pictures",
            masks=tmp_path / "masks",
            model=ModelConfig(spec="world:objects"),
        )
    assert not (tmp_path / "more").exists()


def test_shares_are_rounded_and_drawn_by_name() -> None:
    names = [f"p{number}" for number in range(5)]
    assert len(public_names("50%", names)) == 2
    assert len(public_names("1%", names)) == 1
    assert len(public_names("99%", names)) == 4
    assert public_names("0%", names) == frozenset()
    assert public_names("100%", names) == set(names)
    assert public_names("40%", names) == public_names("40%", names[::-1])
    with pytest.raises(UsageError, match="0% to 100%"):
        public_names("half", names)
    with pytest.raises(UnknownNameError, match="did you mean p1"):
        public_names(["p11"], names)


def test_limits_are_read_and_checked() -> None:
    assert parse_limits("num_samples=5, seconds=60") == Limits(num_samples=5, seconds=60)
    with pytest.raises(UsageError, match="did you mean seconds"):
        parse_limits("second=60")
    with pytest.raises(UsageError, match="NAME=NUMBER"):
        parse_limits("seconds")
    with pytest.raises(UsageError, match="greater than or equal to 1"):
        parse_limits("seconds=0")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "world"', 'name = "../world"', "letters, digits"),
        ('"maps"', '"mops"', "did you mean maps"),
        ('"lime"', '"lame"', "did you mean lime"),
        ("seconds = 600", "secnds = 600", "did you mean seconds"),
        ("picture-01 =", "picture-71 =", "It has a target"),
        ("seed = 0", "sed = 0", "did you mean seed"),
    ],
)
def test_mistakes_in_the_file_are_named(old: str, new: str, said: str, written_challenge: Path) -> None:
    file = written_challenge / "challenge.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(UsageError, match=said):
        open_challenge(written_challenge)
    assert len(check_challenge(written_challenge)) == 1
