from __future__ import annotations

from lumiscope.cli.map_warnings import MapWarnings


def collected(*maps: tuple[str, str, list[str]]) -> MapWarnings:
    warnings = MapWarnings()
    for image, method, texts in maps:
        warnings.add(image, method, texts)
    return warnings


def test_one_line_an_image_and_method_with_all_its_warnings() -> None:
    warnings = collected(
        ("a", "lime", ["few", "low"]), ("a", "fullgrad", ["gap"]), ("b", "lime", ["low"]), ("c", "rise", [])
    )
    assert warnings.lines() == ["a, lime: few; low", "a, fullgrad: gap", "b, lime: low"]
    assert warnings.counts() == [
        "lime: 2 maps have warnings; the report shows them",
        "fullgrad: 1 map has warnings; the report shows them",
    ]


def test_the_same_text_is_told_once() -> None:
    warnings = collected(*((name, "guided_backprop", ["no ReLU"]) for name in "abcde"), ("a", "saliency", ["no ReLU"]))
    assert warnings.lines() == ["a, b, c and 2 more, guided_backprop: no ReLU", "a, saliency: no ReLU"]


def test_nothing_to_tell() -> None:
    assert collected(("a", "lime", [])).lines() == collected().counts() == []
