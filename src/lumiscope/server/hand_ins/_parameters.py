"""Parameters of methods, image by image: JSON, TOML, or the pickled dict of the course's server."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lumiscope.attribution import METHODS, SEGMENTERS, AttributionMethod, check_segmenter
from lumiscope.errors import UsageError, nearest
from lumiscope.files import MOST_SETTINGS
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins._names import by_image
from lumiscope.server.hand_ins.faults import THE_FILE, Faults
from lumiscope.study.files import LIME_KEYS, PICKLES, from_lime_keys, load_plain, parsed

LIME = "lime"
SAMPLES = ("num_samples", "max_samples", "num_masks", "steps")  # options that say how many changed pictures are asked
AUTO = "auto"  # LIME then stops by itself, at max_samples
MOST_VALUES = 200_000
MOST_DEPTH = 32
MOST_BITS = 63  # of a whole number


def read_parameters(
    name: str, content: bytes, challenge: Challenge, faults: Faults
) -> tuple[str, dict[str, dict[str, dict[str, Any]]]]:
    """("parameters", image -> method -> options); what is wrong is added to `faults`. Errors: `HandInRefused`."""
    plain = _plain(name, content, faults)
    if not isinstance(plain, dict) or not all(isinstance(image, str) for image in plain):
        raise faults.stop(THE_FILE, "images by name, each with parameters", f"a {type(plain).__name__}")
    entries: dict[str, dict[str, dict[str, Any]]] = {}
    for image, entry in by_image(plain, challenge, faults).items():
        if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
            faults.add(image, "parameters by name", f"a {type(entry).__name__}")
        else:
            entries[image] = _of_image(image, entry, challenge, faults)
    return "parameters", entries


def _plain(name: str, content: bytes, faults: Faults) -> Any:
    """The values of a file, none of them NaN or infinite. Errors: `HandInRefused`."""
    source = Path("parameters").with_suffix(Path(name.replace("\\", "/")).suffix.lower())
    if len(content) > MOST_SETTINGS:
        raise faults.stop(THE_FILE, f"at most {MOST_SETTINGS:,} bytes of parameters", f"{len(content):,}")
    try:
        plain = load_plain(content, source.name) if source.suffix in PICKLES else parsed(source, content)
    except UsageError as error:
        raise faults.stop(THE_FILE, f"parameters as {source.suffix[1:]}", str(error)) from error
    if problem := _problem(plain):
        raise faults.stop(THE_FILE, "plain values, finite and not nested deep", problem)
    return plain


def _problem(plain: object) -> str:
    """What makes values unfit; "" where nothing does."""
    level, count = [plain], 0
    for _ in range(MOST_DEPTH):
        count += len(level)
        if any(isinstance(value, float) and not math.isfinite(value) for value in level):
            return "NaN or infinity"
        if any(isinstance(value, int) and value.bit_length() > MOST_BITS for value in level):
            return f"a whole number of more than {MOST_BITS} bits"
        if count > MOST_VALUES:
            return f"more than {MOST_VALUES:,} values"
        tables = (value.values() for value in level if isinstance(value, dict))
        lists = (value for value in level if isinstance(value, list | tuple))
        level = [inner for values in (*tables, *lists) for inner in values]
    return f"values nested more than {MOST_DEPTH} deep" if level else ""


def _of_image(image: str, entry: dict[str, Any], challenge: Challenge, faults: Faults) -> dict[str, dict[str, Any]]:
    """One method and its options, as far as they are right."""
    methods = entry if entry and all(isinstance(value, dict) for value in entry.values()) else {LIME: entry}
    if len(methods) != 1:
        faults.add(image, "the parameters of one method", f"those of {len(methods)}: {', '.join(methods)}")
    checked: dict[str, dict[str, Any]] = {}
    for method, options in methods.items():
        where = f"{image}: {method}" if method in METHODS else image
        if method not in challenge.methods:
            faults.add(where, f"one of the methods {', '.join(challenge.methods)}", method)
        else:
            checked[method] = _of_method(where, METHODS[method], options, challenge, faults)
    return checked


def _of_method(
    where: str, method: AttributionMethod[Any], given: dict[str, Any], challenge: Challenge, faults: Faults
) -> dict[str, Any]:
    """The options under our names, without those that are wrong."""
    good = {option: value for option, value in given.items() if _is_known(where, method, option, value, faults)}
    while refusal := _refusal(method, good):
        option = _wrong_option(method, good)
        if option is None:
            faults.add(where, refusal, "these options together")
            return {}
        faults.add(f"{where}.{option}", _refusal(method, _alone(option, good)) or refusal, f"{good.pop(option)!r:.80}")
    options = _ours(method, good)
    for option, count in _samples(method.options(options)):
        if count > challenge.limits.num_samples:
            came = f"{count:,}" if option in options else f"{count:,}, which it is by default"
            faults.add(f"{where}.{option}", f"at most {challenge.limits.num_samples:,}", came)
    return options


def _is_known(where: str, method: AttributionMethod[Any], option: str, value: object, faults: Faults) -> bool:
    """Whether a method has an option; if not, a fault says so."""
    known = [field.name for field in dataclasses.fields(method.options_type)]
    if method.name == LIME:
        known += LIME_KEYS
    if option in known:
        return True
    near = [] if faults.is_full else nearest(option[:100], known) or known
    faults.add(f"{where}.{option}", f"a known option, such as {', '.join(dict.fromkeys(near))}", f"{value!r:.80}")
    return False


def _wrong_option(method: AttributionMethod[Any], given: dict[str, Any]) -> str | None:
    """The one without which all is well, else the first that is wrong by itself; None where there is none."""
    without = ({name: value for name, value in given.items() if name != option} for option in given)
    pairs = zip(given, without, strict=True)
    culprit = next((option for option, rest in pairs if not _refusal(method, rest)), None)
    return culprit or next((option for option in given if _refusal(method, _alone(option, given))), None)


def _alone(option: str, given: dict[str, Any]) -> dict[str, Any]:
    """One option; those of a segmenter mean something together with its name alone."""
    names = ("segmenter", option) if option == "segmenter_options" else (option,)
    return {name: given[name] for name in names if name in given}


def _ours(method: AttributionMethod[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Options under our names: lime's own may be used, too. Errors: `UsageError`."""
    return from_lime_keys(given)[0] if method.name == LIME else dict(given)


def _refusal(method: AttributionMethod[Any], given: dict[str, Any]) -> str:
    """What was expected where a method cannot be run so by somebody from elsewhere; "" where it can."""
    try:
        built = method.options(_ours(method, given))
        segmenter = getattr(built, "segmenter", None)
        if segmenter is not None and segmenter not in SEGMENTERS:  # a file or a function would be this machine's
            return f"the name of a segmenter: {', '.join(SEGMENTERS)}"
        if segmenter is not None:
            check_segmenter(segmenter, built.segmenter_options)
    except UsageError as error:
        said = str(error).removeprefix(f"{method.name}: ").removeprefix("expected ")
        return (said.rpartition("; got ")[0] or said).rpartition("Input should be ")[2]
    return ""


def _samples(options: Any) -> Iterator[tuple[str, int]]:
    """The options that say how many changed pictures are asked for, as far as they have an effect."""
    values: Mapping[str, Any] = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    for name in SAMPLES:
        value = values.get(name)
        without_effect = name == "max_samples" and values.get("num_samples") != AUTO
        if isinstance(value, int) and not without_effect:
            yield name, value
