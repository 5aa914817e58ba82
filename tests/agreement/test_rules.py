"""How mask rules are written: every form reads, canonical text reads back, mistakes are explained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope.agreement import MASK_RULES, MaskRule, make_mask, mask_rule, parse_rule, parse_rules
from lumiscope.errors import UnknownNameError, UsageError


@pytest.mark.parametrize(
    ("text", "rule", "canonical"),
    [
        ("top:20%", MaskRule("top", 0.2), "top:20%"),
        ("top:0.2", MaskRule("top", 0.2), "top:20%"),
        ("top:7%", MaskRule("top", 0.07), "top:7%"),
        (" top : 12.50 % ", MaskRule("top", 0.125), "top:12.5%"),
        ("top:1", MaskRule("top", 1.0), "top:100%"),
        ("max:0.5", MaskRule("max", 0.5), "max:0.5"),
        ("max:50%", MaskRule("max", 0.5), "max:0.5"),
        ("max:1e-3", MaskRule("max", 0.001), "max:0.001"),
        ("otsu", MaskRule("otsu"), "otsu"),
        ("lime", MaskRule("lime"), "lime"),
    ],
)
def test_a_rule_is_read_and_written(text, rule, canonical):
    assert parse_rule(text) == rule
    assert str(rule) == canonical


@given(st.sampled_from(["top", "max"]), st.floats(0, 1, exclude_min=True))
def test_canonical_text_reads_back_as_the_same_rule(name, fraction):
    assert parse_rule(str(MaskRule(name, fraction))) == MaskRule(name, fraction)


def test_every_registered_form_is_canonical():
    assert [str(parse_rule(rule.form)) for rule in MASK_RULES.values()] == ["top:20%", "max:0.5", "otsu", "lime"]


@pytest.mark.parametrize(
    "number", ["20", "1.5", "0", "0%", "-0.1", "101%", "nan", "inf", "half", "", "%", "1e-999", "1e999999999999999999"]
)
def test_a_wrong_number_is_explained(number):
    with pytest.raises(UsageError, match=r"above 0 and at most 1.*got .*Write for example top:20%") as caught:
        parse_rule(f"top:{number}")
    assert (repr(number) if number else "no number") in str(caught.value)


def test_a_rule_without_its_number_and_one_with_too_many():
    with pytest.raises(UsageError, match=r"got no number. Write for example max:0.5"):
        parse_rule("max")
    with pytest.raises(UsageError, match=r"otsu takes no number; got 'otsu:3'. Write otsu"):
        parse_rule("otsu:3")


def test_an_unknown_rule_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown mask rule 'otsi': did you mean otsu"):
        parse_rule("otsi")
    with pytest.raises(UnknownNameError, match=r"top:20% or max:0.5 or otsu or lime"):
        parse_rule("zzz:1")


def test_rules_per_method():
    assert parse_rules("gradcam=max:0.5,lime=lime") == {"gradcam": "max:0.5", "lime": "lime"}
    assert parse_rules(" gradcam = top:0.2 ") == {"gradcam": "top:20%"}
    assert parse_rules("") == {}


@pytest.mark.parametrize("text", ["top:20%", "=otsu", "gradcam=otsu,", "gradcam"])
def test_a_part_that_is_no_method_and_rule(text):
    with pytest.raises(UsageError, match=r"expected method=rule, such as gradcam=max:0.5,lime=lime; got"):
        parse_rules(text)


def test_two_rules_for_one_method():
    with pytest.raises(UsageError, match=r"two mask rules for gradcam: otsu and max:0.5"):
        parse_rules("gradcam=otsu,gradcam=max:0.5")


def test_a_rule_that_does_not_exist_for_a_method():
    with pytest.raises(UnknownNameError, match="mask rule 'maxx'"):
        parse_rules("gradcam=maxx:0.5")


def test_a_new_rule_is_one_function(make_map, monkeypatch):
    monkeypatch.setattr(MASK_RULES, "_registered", dict(MASK_RULES._registered))

    @mask_rule("above", form="above:0.1")
    def above(saliency_map, fraction):
        return saliency_map.values > fraction

    assert str(parse_rule("above:25%")) == "above:0.25"
    assert make_mask(make_map([[0.2, 0.3]]), "above:25%").tolist() == [[False, True]]
