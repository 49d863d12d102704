from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.fold import MAX_TOKEN, Kind, code, fold, tokens, words
from hub.search.query import parse


@pytest.mark.parametrize(("text", "folded"), [
    ("Łukasz", "lukasz"), ("Müller", "muller"), ("straße", "strasse"), ("Søren", "soren"), ("ıstanbul", "istanbul"),
    ("İzmir", "izmir"), ("Þór", "thor"), ("Œuvre", "oeuvre"), ("Андрей", "andrey"), ("Ελένη", "eleni"),
    ("ＡＢＣ１２", "abc12"), ("é", "e"), ("ﬁn", "fin"), ("O’Brien", "o'brien"),
])  # fmt: skip
def test_accents_and_alphabets_fold_to_plain_letters(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(("kind", "value", "found"), [
    ("name", "Anna-Maria O'Brien", {"anna", "maria", "o", "brien", "annamaria", "obrien", "==anna", "==maria",
                                    "~~BRN", "~~OBRN", "~~ANMR"}),
    ("name", "王伟", {"wang", "wei", "~~WNK"}),
    ("name", "Bob Müller", {"bob", "muller", "mueller", "==robert", "~~MLR"}),
    ("name", "Sam Wu", {"sam", "wu", "==samuel", "==samantha"}),
    ("text", "Jürgen Åse", {"jurgen", "juergen", "ase", "aase"}),
    ("email", "anna.k@example.com", {"anna", "k", "example", "com", "anna.k@example.com"}),
    ("phone", "+442079460123;ext=12", {"442079460123"}),
    ("code", "SO-2026/0012", {"SO", "2026", "0012", "SO20260012", "20260012"}),
    ("code", "ord10248", {"ORD10248", "10248"}),
    ("text", "Lamp's broken.", {"lamp", "s", "broken"}),
])  # fmt: skip
def test_tokens_by_kind(kind: Kind, value: str, found: set[str]) -> None:
    assert set(tokens(kind, value)) == found


@given(st.text())
def test_words_are_plain_short_and_stay_what_they_are(text: str) -> None:
    for word in words(text):
        assert word.isascii()
        assert word.isalnum()
        assert word == word.lower()
        assert len(word) <= MAX_TOKEN
        assert words(word) == [word]
    assert code(code(text)) == code(text)


@given(st.text(max_size=40))
def test_every_text_within_the_limits_has_a_meaning(text: str) -> None:
    if len(words(text)) <= 10:
        query = parse(text)
        assert [word.text for word in query.words] == words(text)
        assert bool(query) == bool(words(text))
