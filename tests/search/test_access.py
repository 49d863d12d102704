"""What a requester may not read is neither found, counted nor shown: against a brute force over what was stated."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from jellyfish import metaphone

from hub.access import Effect, Requester, load_access_map, plan_access
from hub.graph.resolution.profiles.nicknames import is_given_name, roots
from hub.search import Catalogue, SearchRequest
from hub.search.catalogue import kind_of
from hub.search.fold import tokens, words
from hub.search.query import Query, Unit, Word, parse
from tests.search.search_world import ALLOW, DENY, LABELLED, LABELS, MASK, Access, World, key_of

TEXTS = [asked for asked, _ in LABELLED]
STATED = sorted({v for entity in LABELS.values() for v in entity.values.values() if isinstance(v, str)})
Texts = dict[tuple[str, str], list[tuple[str, str, str]]]
"""For each hit that is possible: kind, category and text of its values."""


def stated(world: World) -> Texts:
    """What the statements say, without the store and the index."""
    found: Texts = {}
    for label, entity in LABELS.items():
        values = found.setdefault(key_of(world, label), [])
        for name, value in entity.values.items():
            prop = world.ontology.type(entity.type).properties[name]
            if kind := kind_of(prop):
                values.append((kind, prop.category, str(value)))
    return found


def edits(a: str, b: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours at most lies between."""
    if abs(len(a) - len(b)) > 1:
        return False
    if a == b:
        return True
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[at:], b[at:]
    swapped = rest_a[1:2] + rest_a[:1] + rest_a[2:]
    return rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:] or swapped == rest_b


def word_hits(word: Word, values: list[tuple[str, str, str]]) -> bool:
    for kind, _, value in values:
        for token in tokens(kind, value):  # type: ignore[arg-type]
            upper = word.text.upper()
            if kind == "code":
                if token == upper or (len(upper) > 2 and token.startswith(upper)):
                    return True
            elif kind != "phone":
                typo = kind in ("name", "email") and len(word.text) > 3 and word.text.isalpha()
                if token in spelled(word) or (typo and edits(word.text, token)):
                    return True
                if word.unfinished and len(word.text) > 1 and token.startswith(spelled(word)):
                    return True
                if kind == "name" and alike(word.text, token):
                    return True
    return False


def spelled(word: Word) -> tuple[str, ...]:
    return tuple(text for text in (word.text, word.also) if text)


def alike(a: str, b: str) -> bool:
    """Whether one may be short for the other, or sounds like it."""
    if is_given_name(a) and is_given_name(b) and not set(roots(a)).isdisjoint(roots(b)):
        return True
    long = min(len(a), len(b)) > 3 and (a + b).isalpha()
    return long and len(metaphone(a)) > 2 and metaphone(a) == metaphone(b)


def code_hits(code: str | None, values: list[tuple[str, str, str]]) -> bool:
    codes = [token for kind, _, value in values if kind == "code" for token in tokens("code", value)]
    return code is not None and any(c == code or (len(code) > 2 and c.startswith(code)) for c in codes)


def unit_hits(unit: Unit, values: list[tuple[str, str, str]]) -> bool:
    phones = [re.sub(r"\D", "", value.partition(";")[0]) for kind, _, value in values if kind == "phone"]
    emails = [value for kind, _, value in values if kind == "email"]
    return (
        all(word_hits(word, values) for word in unit.words)
        or any(part in phone for part in unit.phones for phone in phones)
        or code_hits(unit.code, values)
        or unit.email in emails
    )


def brute_force(query: Query, texts: Texts, allowed: Access) -> Iterator[tuple[str, str]]:
    for key, values in texts.items():
        readable = [value for value in values if allowed.decide(value[1]) is ALLOW]
        if query and (
            code_hits(query.code, readable) or all(unit_hits(unit, readable) for unit in query.units)
        ):
            yield key


def some_access(catalogue: Catalogue) -> st.SearchStrategy[Access]:
    decisions = st.lists(st.sampled_from([ALLOW, ALLOW, MASK, DENY]), min_size=len(catalogue.categories))
    return decisions.map(lambda made: _access(dict(zip(catalogue.categories, made, strict=False))))


def _access(named: dict[str, object]) -> Access:
    access = Access(DENY)
    access.named |= named  # type: ignore[arg-type]
    return access


@st.composite
def pieces(draw: st.DrawFn) -> str:
    """A stretch of some value that was stated, one character of it perhaps another."""
    value = draw(st.sampled_from(STATED))
    start = draw(st.integers(0, max(0, len(value) - 3)))
    piece = value[start : start + draw(st.integers(2, 20))]
    at = draw(st.integers(0, len(piece)))
    return draw(st.sampled_from([piece, piece[:at] + draw(st.sampled_from("xe1 -")) + piece[at + 1 :]]))


@given(data=st.data(), asked=st.sampled_from(TEXTS) | pieces() | st.text(max_size=12))
def test_hits_total_facets_titles_and_snippets_are_of_readable_values_only(
    filled: World, data: st.DataObject, asked: str
) -> None:
    access = data.draw(some_access(filled.catalogue))
    texts = stated(filled)
    wanted = set(brute_force(parse(asked), texts, access))
    answer = filled.service.search(asked, first=100, access=access)
    assert {(hit.type, hit.id) for hit in answer.hits} == wanted
    assert answer.total == len(wanted)
    assert answer.facets == Counter(type_ for type_, _ in wanted)
    for hit in answer.hits:
        readable = {text for _, category, text in texts[hit.type, hit.id] if access.decide(category) is ALLOW}
        plain = {word for text in readable for word in words(text)}
        hidden = {text for _, _, text in texts[hit.type, hit.id] if not plain.issuperset(words(text))}
        shown = html.unescape(re.sub(r"</?mark>", "", hit.snippet)).strip("…")
        assert any(shown in text for text in readable)
        assert not any(text in hit.title for text in hidden)
        if hit.customer_id and hit.type != "Customer":
            owner = filled.ontology.type(hit.type).properties["customer"].category
            assert access.decide(owner) is not DENY


def test_under_the_hubs_own_policy_every_role_finds_what_it_may_read(filled: World) -> None:
    policy = load_access_map(Path(__file__).resolve().parents[2] / "policy.yaml", filled.ontology.taxonomy)
    texts, found = stated(filled), Counter[str]()
    for role in policy.roles:
        for purpose in policy.usable_purposes(frozenset({role})):
            access = plan_access(policy, Requester("s", frozenset({role}), "d", purpose, "test", (purpose,)))
            readable = {c for c in filled.catalogue.categories if access.decide(c).effect is Effect.ALLOW}
            for asked in ("kowalska", "79460123", "broken lamp", "SO-2026-00123", "GB123456789", "oak"):
                plain = _access(dict.fromkeys(readable, ALLOW))
                wanted = set(brute_force(parse(asked), texts, plain))
                answer = filled.service.search(asked, access=access)
                assert {(hit.type, hit.id) for hit in answer.hits} == wanted, (role, purpose, asked)
                found[role] += answer.total
    assert found["support"] > found["partner"]


def test_what_is_masked_is_not_searched_and_what_is_denied_has_no_title(filled: World) -> None:
    names = ("user.name", "user.name.first", "user.name.last")
    for hidden in (MASK, DENY):
        access = Access().but(hidden, *names)
        assert filled.find("siobhan", access) == []
        (hit,) = filled.service.search("harbour road", access=access).hits
        assert hit.title == "Customer CU-000101"
        assert "Kowalska" not in hit.snippet


def test_a_search_in_two_categories_needs_both(filled: World) -> None:
    assert filled.find("kowalska 79460123") == [key_of(filled, "anna")]
    assert filled.find("kowalska 79460123", Access().but(DENY, "user.contact.phone_number")) == []


def test_who_may_read_nothing_finds_nothing(filled: World) -> None:
    answer = filled.service.search("anna", access=Access(DENY))
    assert (answer.hits, answer.total, answer.facets, answer.customers) == ((), 0, {}, ())


def test_an_engine_finds_nothing_without_categories_or_without_tokens(filled: World) -> None:
    categories = frozenset(filled.catalogue.categories)
    tokens_ = frozenset(f"type:{name}" for name in filled.catalogue.types)
    assert filled.engine.search(SearchRequest("anna", categories, tokens_)).total == 1
    for request in (
        SearchRequest("anna", frozenset(), tokens_),
        SearchRequest("anna", categories, frozenset()),
        SearchRequest("anna", categories, frozenset({"type:Order"})),
    ):
        result = filled.engine.search(request)
        assert (result.hits, result.total, result.facets) == ((), 0, {})


def test_the_document_of_the_cursor_is_never_found(filled: World) -> None:
    categories = frozenset(filled.catalogue.categories)
    for asked in ("cursor", "\x00cursor", str(filled.engine.cursor())):
        found = filled.engine.search(SearchRequest(asked, categories, frozenset({"", "type:"}), first=100))
        assert found.total == 0


def test_reprs_hold_no_text_of_people(filled: World) -> None:
    request = SearchRequest("anna kowalska", frozenset(), frozenset())
    answer = filled.service.search("anna kowalska", access=Access())
    assert answer.hits
    for shown in (repr(request), repr(answer), repr(parse("anna kowalska"))):
        # No id has a blank or a w in it.
        assert not {"anna ", "owals"} & {shown[at : at + 5].lower() for at in range(len(shown))}
