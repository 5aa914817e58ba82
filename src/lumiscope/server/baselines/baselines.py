"""Which baselines there are, and how they are made. Nothing here looks at the hidden part."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lumiscope.attribution import derive_seed
from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
from lumiscope.progress import Track, silent
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins import HandInRefused, read_hand_in, template
from lumiscope.server.scoring import score
from lumiscope.trust import baseline_maps

FOLDER = "baselines"
LIME = "lime"
MAPS = {"random": "Random map", "centred": "Centred Gaussian"}
TITLES = {**{f"{name}.npz": title for name, title in MAPS.items()}, "lime.json": "LIME with defaults"}
BEST, BEST_TITLE = "best.json", "Best of lumiscope on the public images"
LIME_FEATURES = (2, 5)  # tried beside the defaults, over superpixels
LIME_SEGMENTS = 50
LIME_SAMPLES = 500  # enough for as many segments


@dataclass(frozen=True)
class Baseline:
    """A hand-in that stands among the others, marked. `path`: its file, which goes the way of all hand-ins."""

    name: str
    title: str
    path: Path


def baselines_of(challenge: Challenge) -> list[Baseline]:
    """Those that a challenge has, the humblest first; files of the owner's own after them, by name."""
    titles = {**TITLES, BEST: BEST_TITLE}
    folder = challenge.folder / FOLDER
    files = {path.name: path for path in sorted(folder.glob("*")) if path.is_file() and not path.name.startswith(".")}
    known = [name for name in titles if name in files]
    others = [name for name in files if name not in titles]
    return [Baseline(files[name].stem, titles.get(name, files[name].stem), files[name]) for name in (*known, *others)]


def write_baselines(challenge: Challenge, track: Track = silent) -> list[Baseline]:
    """Write the random map, the centred Gaussian, LIME with defaults and the best of ours, where they may be handed in.

    The best of ours has, for all images, the one method with the one set of options that has the highest mean IoU on
    the public images; tried are all methods of the challenge as they are by default, and LIME over superpixels. Errors:
    those of scoring.
    """
    files: dict[str, bytes] = {}
    if "maps" in challenge.accepts:
        files |= {f"{name}.npz": _maps(challenge, name) for name in MAPS}
    if "parameters" in challenge.accepts:
        if LIME in challenge.methods:
            files["lime.json"] = template(challenge, LIME)
        if challenge.public:
            files[BEST] = _best(challenge, track)
    for name, content in files.items():
        write_atomically(challenge.folder / FOLDER / name, content)
    return baselines_of(challenge)


def _maps(challenge: Challenge, name: str) -> bytes:
    """An .npz of maps that know nothing, each image with another draw."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for image in challenge.names:
            candidates = baseline_maps(challenge.view, derive_seed(challenge.seed, image, name))
            values = next(candidate.values for candidate in candidates if candidate.name == name)
            part = io.BytesIO()
            np.save(part, values.astype(np.float32), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{image}.npy"), part.getvalue(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _best(challenge: Challenge, track: Track) -> bytes:
    """The candidate that overlaps most with the public true masks. Errors: `UsageError` where none can be scored."""
    public = [image.name for image in challenge.public]
    truth = challenge.truths(public)
    candidates = list(_candidates(challenge))
    scored: list[tuple[float, int]] = []
    refusals: list[str] = []
    for number, content in enumerate(track(candidates, "finding the best baseline", len(candidates))):
        try:
            means = score(challenge, read_hand_in(BEST, content, challenge), truth, public).means
        except HandInRefused as refused:
            refusals.append(str(refused))
        else:
            scored.append((means.iou or 0.0, -number))
    if not scored:
        raise UsageError(f"expected a method that explains the images within the limits; {refusals[0]}")
    return candidates[-max(scored)[1]]


def _candidates(challenge: Challenge) -> Iterator[bytes]:
    for method in challenge.methods:
        usual = template(challenge, method)
        yield usual
        if method == LIME:
            for features in LIME_FEATURES:
                yield _lime_over_superpixels(usual, features)


def _lime_over_superpixels(usual: bytes, features: int) -> bytes:
    entries = json.loads(usual)
    for methods in entries.values():
        methods[LIME] |= {
            "segmenter": "slic",
            "segmenter_options": {"n_segments": LIME_SEGMENTS},
            "num_features": features,
            "num_samples": min(methods[LIME]["num_samples"], LIME_SAMPLES),
        }
    return (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode()
