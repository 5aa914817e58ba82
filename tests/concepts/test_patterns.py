from __future__ import annotations

import pytest

from lumiscope.concepts.patterns import find_concepts, is_concept, names_concept
from lumiscope.errors import UnknownNameError

WORDS = ("goldfish, Carassius auratus", "fish", "fishing rod", "red_c")


def test_wildcards_synonyms_and_letter_case() -> None:
    assert find_concepts(["fish*"], WORDS) == ["fish", "fishing rod"]
    assert find_concepts(["GOLDFISH", "Red C"], WORDS) == ["goldfish, Carassius auratus", "red_c"]
    assert find_concepts(["*"], WORDS) == list(WORDS)
    assert names_concept("f?sh", "fish")
    assert not is_concept("f?sh", "fish")
    assert not names_concept("fish", "fishing rod")


def test_an_unknown_name_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown concept 'fihs': did you mean fish"):
        find_concepts(["fish", "fihs"], WORDS)
