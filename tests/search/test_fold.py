from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.search.fold import MAX_TOKEN, Kind, apart, code, fold, indexed, tokens, words
from hub.search.matching import word_matches
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


def test_an_index_keeps_whole_addresses_apart_from_words() -> None:
    assert indexed("email", "Anna.K@example.com") == ["anna", "k", "example", "com", "@@anna.k@example.com"]
    assert indexed("name", "Anna K") == tokens("name", "Anna K")


@example("ab@cd", "abcd")
@given(st.text("ab@. ", min_size=1, max_size=9), st.text("abc", min_size=2, max_size=9))
def test_no_search_by_a_word_misses_an_address_that_stands_apart(address: str, asked: str) -> None:
    whole = tokens("email", address)[-1]
    (word,) = parse(asked).words
    if apart(whole) != whole and word_matches(word, "email", whole):
        assert any(word_matches(word, "email", token) for token in words(address))
